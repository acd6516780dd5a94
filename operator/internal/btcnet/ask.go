package btcnet

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/fluxcd/pkg/apis/meta"
	"github.com/spf13/cobra"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
)

// asker asks for something by a BitcoinRequest, and tells what becomes of it.
type asker struct {
	cluster cluster
	streams genericiooptions.IOStreams
	wait    bool
	timeout time.Duration
}

func (a *asker) addFlags(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&a.wait, "wait", true, "wait for the answer")
	cmd.Flags().DurationVar(&a.timeout, "timeout", 5*time.Minute, "how long to wait; the request stays afterwards")
}

func newMine(cluster cluster, streams genericiooptions.IOStreams) *cobra.Command {
	asker := &asker{cluster: cluster, streams: streams}
	var address string
	cmd := &cobra.Command{
		Use:   "mine NETWORK N",
		Short: "Have N blocks mined on a regtest network",
		Long: `Create a BitcoinRequest for blocks, and wait until the operator has answered it. If you
stop waiting, with Ctrl-C, the request stays and is carried out all the same.`,
		Example: `  # 110 blocks, so that the network's wallet has coins to pay
  kubectl btcnet mine payments 110 -n team-a

  # 6 blocks, whose coins go to an address
  kubectl btcnet mine payments 6 --address=bcrt1… -n team-a`,
		Args:              cobra.ExactArgs(2),
		ValidArgsFunction: cluster.completeNetworks,
		RunE: func(cmd *cobra.Command, args []string) error {
			count, err := strconv.ParseInt(args[1], 10, 32)
			if err != nil {
				return fmt.Errorf("how many blocks: %w", err)
			}
			return asker.ask(cmd.Context(), v1alpha1.BitcoinRequestSpec{
				Network: args[0], Mine: &v1alpha1.MineRequest{Count: int32(count), Address: address},
			})
		},
	}
	cmd.Flags().StringVar(&address, "address", "", "the address that gets the new coins; by default that of the wallet from which the operator pays")
	asker.addFlags(cmd)
	return cmd
}

func newPay(cluster cluster, streams genericiooptions.IOStreams) *cobra.Command {
	asker := &asker{cluster: cluster, streams: streams}
	cmd := &cobra.Command{
		Use:   "pay NETWORK ADDRESS AMOUNT",
		Short: "Have coins paid to an address, on a regtest network",
		Long: `Create a BitcoinRequest for coins, in BTC, and wait until they are in a block. If you
stop waiting, with Ctrl-C, the request stays and is carried out all the same.`,
		Example: `  kubectl btcnet pay payments bcrt1… 2.5 -n team-a

  # Ask, and look later
  kubectl btcnet pay payments bcrt1… 2.5 -n team-a --wait=false
  kubectl get btcreq -n team-a`,
		Args:              cobra.ExactArgs(3),
		ValidArgsFunction: cluster.completeNetworks,
		RunE: func(cmd *cobra.Command, args []string) error {
			return asker.ask(cmd.Context(), v1alpha1.BitcoinRequestSpec{
				Network: args[0], Pay: &v1alpha1.PayRequest{Address: args[1], Amount: args[2]},
			})
		},
	}
	asker.addFlags(cmd)
	return cmd
}

// ask makes a request, and tells what becomes of it.
func (a *asker) ask(ctx context.Context, spec v1alpha1.BitcoinRequestSpec) error {
	api, err := a.cluster.api()
	if err != nil {
		return err
	}
	request, err := a.create(ctx, api, spec)
	if err != nil {
		return err
	}
	fmt.Fprintf(a.streams.ErrOut, "created BitcoinRequest %s\n", request.Name)
	if !a.wait {
		return nil
	}
	waiting, cancel := context.WithTimeoutCause(ctx, a.timeout, fmt.Errorf("it took longer than %s", a.timeout))
	defer cancel()
	last := ""
	err = await(waiting, api, request, &v1alpha1.BitcoinRequestList{}, func(now *v1alpha1.BitcoinRequest) (bool, error) {
		request = now
		if request.Status.Phase.IsFinished() {
			return true, nil
		}
		last = tell(a.streams.ErrOut, last, messageOf(request.Status.Conditions))
		return false, nil
	})
	if err != nil {
		return fmt.Errorf("stopped waiting: %w; the request stays, and kubectl get btcreq %s -n %s says what becomes of it", err, request.Name, request.Namespace)
	}
	return a.answer(request)
}

func (a *asker) create(ctx context.Context, api client.Client, spec v1alpha1.BitcoinRequestSpec) (*v1alpha1.BitcoinRequest, error) {
	namespace, err := a.cluster.namespace()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	request := &v1alpha1.BitcoinRequest{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, GenerateName: spec.Network + "-"}, Spec: spec}
	if err := api.Create(ctx, request, client.FieldOwner(fieldManager)); err != nil {
		return nil, fmt.Errorf("ask %s/%s: %w", namespace, spec.Network, err)
	}
	return request, nil
}

// answer tells what came of a request that is finished.
func (a *asker) answer(request *v1alpha1.BitcoinRequest) error {
	message := messageOf(request.Status.Conditions)
	if request.Status.Phase != v1alpha1.RequestSucceeded {
		return errors.New(string(request.Status.Phase) + ": " + message)
	}
	fmt.Fprintln(a.streams.Out, message)
	return nil
}

// messageOf returns what an object says of itself.
func messageOf(conditions []metav1.Condition) string {
	ready := apimeta.FindStatusCondition(conditions, meta.ReadyCondition)
	if ready == nil {
		return ""
	}
	return printable(ready.Message)
}

// tell tells how far something is, once.
func tell(out io.Writer, last, message string) string {
	if message != "" && message != last {
		fmt.Fprintln(out, message)
	}
	return message
}

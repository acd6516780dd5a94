package btcnet

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/btcsuite/btcd/btcjson"
	"github.com/btcsuite/btcd/rpcclient"
	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/bitcoind"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/resources"
)

func newRPC(cluster cluster, streams genericiooptions.IOStreams) *cobra.Command {
	var user string
	cmd := &cobra.Command{
		Use:   "rpc NETWORK[/NODE] METHOD [PARAM…]",
		Short: "Call a node's JSON-RPC, if you may read the Secret and forward ports",
		Long: `Call a method of a node's JSON-RPC, through a port-forward, with the credentials of the
network's Secret, which are not shown. You need the rights to read that Secret and to
forward ports; the Role people has neither.

NODE is a number or the name of a pod. By default it is the node to which the Service
NETWORK-primary leads. A parameter that is JSON is sent as it is, and any other as a
string. A string that looks like JSON needs its quotes: '"42"'. Parameters that begin
with - come after --. A call is made once: if its answer is lost, it may have been done.`,
		Example: `  kubectl btcnet rpc payments getblockchaininfo -n team-a
  kubectl btcnet rpc payments/1 getblock 6c12f0… 2 -n team-a

  # As a user of spec.users, who may do less
  kubectl btcnet rpc payments --user=lnd getblockcount -n team-a

  # After --, a negative number is not a flag
  kubectl btcnet rpc payments -n team-a -- getnetworkhashps -1`,
		Args:              cobra.MinimumNArgs(2),
		ValidArgsFunction: cluster.completeNetworks,
		RunE: func(cmd *cobra.Command, args []string) error {
			api, err := cluster.api()
			if err != nil {
				return err
			}
			name, node, _ := strings.Cut(args[0], "/")
			network, err := cluster.network(cmd.Context(), api, name)
			if err != nil {
				return err
			}
			ordinal, err := nodeOf(network, node)
			if err != nil {
				return err
			}
			credentials, err := credentialsOf(cmd.Context(), api, network, user)
			if err != nil {
				return err
			}
			return call(cmd.Context(), cluster, streams.Out, network, ordinal, credentials, args[1], params(args[2:]))
		},
	}
	cmd.Flags().StringVar(&user, "user", "", "a user of spec.users; by default the one of BC_RPC_USER")
	return cmd
}

// nodeOf returns the ordinal of the node that is meant.
func nodeOf(network *v1alpha1.BitcoinNetwork, node string) (int, error) {
	if node == "" {
		if network.Status.Primary == nil {
			return 0, nil
		}
		return int(network.Status.Primary.Ordinal), nil
	}
	if ordinal, err := strconv.Atoi(node); err == nil && ordinal >= 0 {
		return ordinal, nil
	}
	if ordinal, isNode := resources.Ordinal(network, node); isNode {
		return ordinal, nil
	}
	return 0, fmt.Errorf("%q is not a node of %s: name one by its number, such as 0, or as %s", node, network.Name, resources.PodName(network, 0))
}

// credentialsOf returns those of a user of a network; of the one who may call everything
// where none is named.
func credentialsOf(ctx context.Context, api client.Reader, network *v1alpha1.BitcoinNetwork, user string) (bitcoind.Credentials, error) {
	if network.Spec.Secret == "" && user == "" {
		return bitcoind.DefaultCredentials, nil
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	secret := &corev1.Secret{}
	if err := api.Get(ctx, client.ObjectKey{Namespace: network.Namespace, Name: network.Spec.Secret}, secret); err != nil {
		return bitcoind.Credentials{}, fmt.Errorf("read the credentials of %s/%s: %w", network.Namespace, network.Name, err)
	}
	if user != "" {
		key, _ := bitcoind.UserPasswordKeys(user)
		if len(secret.Data[key]) == 0 {
			return bitcoind.Credentials{}, fmt.Errorf("secret %s/%s has no %s, the password of user %s", network.Namespace, secret.Name, key, user)
		}
		return bitcoind.NewCredentials(user, string(secret.Data[key])), nil
	}
	pairs, err := bitcoind.CredentialsFrom(func(key string) string { return string(secret.Data[key]) })
	if err != nil {
		return bitcoind.Credentials{}, fmt.Errorf("secret %s/%s: %w", network.Namespace, secret.Name, err)
	}
	return pairs[0], nil
}

// params are what is on the command line as JSON: what is JSON as it is, and anything else
// as a string. So is a hash, of which one in a great many could be read as a number.
func params(args []string) []json.RawMessage {
	const hash = 64
	var found []json.RawMessage
	for _, arg := range args {
		if json.Valid([]byte(arg)) && len(arg) != hash {
			found = append(found, json.RawMessage(arg))
			continue
		}
		quoted, _ := json.Marshal(arg) // a string always can be
		found = append(found, quoted)
	}
	return found
}

// call asks a node, and prints its answer.
func call(ctx context.Context, cluster cluster, out io.Writer, network *v1alpha1.BitcoinNetwork, ordinal int, credentials bitcoind.Credentials, method string, params []json.RawMessage) error {
	pod := resources.PodName(network, ordinal)
	chain, err := bitcoind.ChainNamed(string(network.Spec.Chain))
	if err != nil {
		return fmt.Errorf("spec.chain: %w", err)
	}
	port, err := forward(ctx, cluster, network.Namespace, pod, int(chain.RPCPort))
	if err != nil {
		return fmt.Errorf("forward a port to pod %s/%s: %w", network.Namespace, pod, err)
	}
	defer port.Close()
	result, err := ask(ctx, port, credentials, method, params)
	var refused *btcjson.RPCError
	switch {
	case errors.As(err, &refused):
		return fmt.Errorf("%s: code %d\n%s", pod, refused.Code, refused.Message)
	case err != nil:
		return fmt.Errorf("ask %s: %w", pod, err)
	}
	return printResult(out, result)
}

// ask makes one call. The client would make it anew where the answer is lost, which must
// not happen to a payment: there is one connection to the port, and who comes for a second
// is sent away.
func ask(ctx context.Context, port *gate, credentials bitcoind.Credentials, method string, params []json.RawMessage) (json.RawMessage, error) {
	rpc, err := rpcclient.New(&rpcclient.ConnConfig{
		Host: port.Address(), User: credentials.User(), Pass: credentials.Password(),
		HTTPPostMode: true, DisableTLS: true,
	}, nil)
	if err != nil {
		return nil, err
	}
	defer rpc.WaitForShutdown()
	defer rpc.Shutdown()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	port.OnSecond(func() { cancel(errNoAnswer) })
	defer context.AfterFunc(ctx, rpc.Shutdown)()
	result, err := rpc.RawRequest(method, params)
	if err != nil && ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	return result, err
}

var errNoAnswer = errors.New("the call was sent, but its answer was lost or took longer than a minute: it may have been done")

// printResult prints a result as bitcoin-cli does: a text without its quotes, and what has
// parts over several lines.
func printResult(out io.Writer, result json.RawMessage) error {
	var text string
	if json.Unmarshal(result, &text) == nil {
		if string(result) != "null" {
			fmt.Fprintln(out, text)
		}
		return nil
	}
	var indented bytes.Buffer
	if err := json.Indent(&indented, result, "", "  "); err != nil {
		return fmt.Errorf("read the answer: %w", err)
	}
	_, err := fmt.Fprintln(out, indented.String())
	return err
}

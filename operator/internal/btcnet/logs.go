package btcnet

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"charm.land/lipgloss/v2"
	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/client-go/kubernetes"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/resources"
)

// logReader reads the logs of nodes.
type logReader struct {
	kubernetes kubernetes.Interface
	namespace  string
	follow     bool
	since      time.Duration
	tail       int64
}

func newLogs(cluster cluster, streams genericiooptions.IOStreams) *cobra.Command {
	reader := &logReader{}
	cmd := &cobra.Command{
		Use:   "logs [NETWORK]",
		Short: "Print the logs of all nodes in order of time, each line with its node",
		Long: `Print the logs of all nodes of a network, or of all networks of the namespace, in the
order of time, each line with its node. With -f it follows them, even when nodes are
restarted or replaced.`,
		Example: `  kubectl btcnet logs payments -n team-a --since=5m
  kubectl btcnet logs payments -n team-a -f --tail=5`,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: cluster.completeNetworks,
		RunE: func(cmd *cobra.Command, args []string) error {
			pods, err := nodePods(cmd.Context(), cluster, args)
			if err != nil {
				return err
			}
			if reader.kubernetes, err = cluster.clientset(); err != nil {
				return err
			}
			if reader.namespace, err = cluster.namespace(); err != nil {
				return err
			}
			return reader.print(cmd.Context(), terminal(streams.Out), streams.ErrOut, pods)
		},
	}
	cmd.Flags().BoolVarP(&reader.follow, "follow", "f", false, "follow the logs")
	cmd.Flags().DurationVar(&reader.since, "since", 0, "how far back to begin, such as 5m; by default as far as there are logs")
	cmd.Flags().Int64Var(&reader.tail, "tail", -1, "how many of the last lines of each node; by default all, or 10 with -f")
	return cmd
}

// nodePods returns the names of the pods whose logs are asked for.
func nodePods(ctx context.Context, cluster cluster, networks []string) ([]string, error) {
	api, err := cluster.api()
	if err != nil {
		return nil, err
	}
	namespace, err := cluster.namespace()
	if err != nil {
		return nil, err
	}
	options := []client.ListOption{client.InNamespace(namespace), client.HasLabels{resources.NetworkLabel}}
	of := "of any network"
	if len(networks) > 0 {
		options[1] = client.MatchingLabels{resources.NetworkLabel: networks[0]}
		of = "of network " + networks[0]
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	var pods corev1.PodList
	if err := api.List(ctx, &pods, options...); err != nil {
		return nil, fmt.Errorf("list the nodes %s in namespace %s: %w", of, namespace, err)
	}
	var names []string
	for _, pod := range pods.Items {
		names = append(names, pod.Name)
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("there is no node %s in namespace %s", of, namespace)
	}
	slices.Sort(names)
	return names, nil
}

// print prints the logs of pods. Of a pod that has none, or whose may not be read, it says
// so, and goes on.
func (r *logReader) print(ctx context.Context, out, errOut io.Writer, pods []string) error {
	width := len(slices.MaxFunc(pods, func(a, b string) int { return len(a) - len(b) }))
	printer := &linePrinter{out: out, width: width, colours: coloursOf(pods)}
	if r.follow {
		return r.followAll(ctx, printer, errOut, pods)
	}
	var logs []lines
	for _, pod := range pods {
		stream, err := r.open(ctx, pod, metav1.Time{})
		if err != nil {
			fmt.Fprintf(errOut, "%s: left out: %v\n", pod, err)
			continue
		}
		defer stream.Close()
		logs = append(logs, linesOf(pod, stream))
	}
	if len(logs) == 0 {
		return errors.New("no log could be read")
	}
	return merge(logs, printer.print)
}

func (r *logReader) open(ctx context.Context, pod string, from metav1.Time) (io.ReadCloser, error) {
	options := &corev1.PodLogOptions{Container: resources.Container, Timestamps: true, Follow: r.follow}
	tail := r.tail
	if tail < 0 && r.follow {
		tail = 10
	}
	switch {
	case !from.IsZero():
		options.SinceTime = &from
	case r.since > 0:
		options.SinceSeconds = new(int64(r.since.Seconds()))
	}
	if tail >= 0 && from.IsZero() && (r.tail >= 0 || r.since == 0) {
		options.TailLines = &tail
	}
	return r.kubernetes.CoreV1().Pods(r.namespace).GetLogs(pod, options).Stream(ctx)
}

const (
	// gathering is how long lines are gathered before they are printed in order.
	gathering = 250 * time.Millisecond
	// comingBack is how often it is tried whether a log goes on that has ended.
	comingBack = time.Second
)

// followAll prints lines as they come. Those that come within a moment are put in order.
func (r *logReader) followAll(ctx context.Context, printer *linePrinter, errOut io.Writer, pods []string) error {
	group, ctx := errgroup.WithContext(ctx)
	arrived := make(chan logLine)
	for _, pod := range pods {
		group.Go(func() error { return r.followOne(ctx, pod, arrived, errOut) })
	}
	group.Go(func() error { return gather(ctx, arrived, printer.print) })
	err := group.Wait()
	if errors.Is(err, context.Canceled) {
		return nil // Ctrl-C is how this ends
	}
	return err
}

// followOne sends the lines of a pod, also of those that take its place.
func (r *logReader) followOne(ctx context.Context, pod string, arrived chan<- logLine, errOut io.Writer) error {
	var last time.Time
	said := ""
	return wait.PollUntilContextCancel(ctx, comingBack, true, func(ctx context.Context) (bool, error) {
		stream, err := r.open(ctx, pod, metav1.NewTime(last))
		if apierrors.IsForbidden(err) {
			return false, fmt.Errorf("read the log of %s: %w", pod, err)
		}
		if err != nil {
			said = tell(errOut, said, fmt.Sprintf("%s: %v", pod, err))
			return false, nil
		}
		defer stream.Close()
		log, sent := linesOf(pod, stream), last
		for line, more := log.next(); more; line, more = log.next() {
			if !line.at.After(sent) {
				continue // logs begin at a whole second
			}
			last = line.at
			select {
			case arrived <- line:
			case <-ctx.Done():
				return false, ctx.Err()
			}
		}
		return false, nil
	})
}

// gather passes lines on, those that come within a moment in the order of time.
func gather(ctx context.Context, arrived <-chan logLine, pass func(logLine) error) error {
	tick := time.NewTicker(gathering)
	defer tick.Stop()
	var waiting []logLine
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case line := <-arrived:
			waiting = append(waiting, line)
		case <-tick.C:
			slices.SortStableFunc(waiting, func(a, b logLine) int { return a.at.Compare(b.at) })
			for _, line := range waiting {
				if err := pass(line); err != nil {
					return err
				}
			}
			waiting = waiting[:0]
		}
	}
}

// linePrinter prints lines with the pods that they are of.
type linePrinter struct {
	out     io.Writer
	width   int
	colours map[string]lipgloss.Style
}

func (p *linePrinter) print(line logLine) error {
	_, err := fmt.Fprintf(p.out, "%s %s\n", p.colours[line.pod].Render(fmt.Sprintf("%-*s", p.width, line.pod)), line.text)
	return err
}

func coloursOf(pods []string) map[string]lipgloss.Style {
	colours := []lipgloss.Style{
		lipgloss.NewStyle().Foreground(lipgloss.Cyan), lipgloss.NewStyle().Foreground(lipgloss.Yellow), lipgloss.NewStyle().Foreground(lipgloss.Green),
		lipgloss.NewStyle().Foreground(lipgloss.Magenta), lipgloss.NewStyle().Foreground(lipgloss.Blue),
	}
	found := map[string]lipgloss.Style{}
	for i, pod := range pods {
		found[pod] = colours[i%len(colours)]
	}
	return found
}

// logLine is a line of a pod's log.
type logLine struct {
	pod  string
	at   time.Time
	text string
}

// lines are those of a pod's log, as they come.
type lines struct {
	pod    string
	reader *bufio.Reader
}

func linesOf(pod string, stream io.Reader) lines {
	return lines{pod: pod, reader: bufio.NewReader(stream)}
}

// next returns the next line, and whether there is one.
func (l lines) next() (logLine, bool) {
	for {
		line, err := l.reader.ReadString('\n')
		stamp, text, _ := strings.Cut(strings.TrimRight(line, "\r\n"), " ")
		if at, wrong := time.Parse(time.RFC3339Nano, stamp); wrong == nil {
			return logLine{l.pod, at, printable(text)}, true
		}
		if err != nil {
			return logLine{}, false
		}
	}
}

// printable leaves out what would have a terminal do something: what is in a log, others
// have a say in.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if r != '\t' && (r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0) {
			return -1
		}
		return r
	}, text)
}

// merge passes on the lines of several logs, each of which is in order, in the order of
// time.
func merge(logs []lines, pass func(logLine) error) error {
	heads := make([]*logLine, len(logs))
	advance := func(i int) {
		heads[i] = nil
		if line, more := logs[i].next(); more {
			heads[i] = &line
		}
	}
	for i := range logs {
		advance(i)
	}
	for {
		first := -1
		for i, head := range heads {
			if head != nil && (first < 0 || head.at.Before(heads[first].at)) {
				first = i
			}
		}
		if first < 0 {
			return nil
		}
		if err := pass(*heads[first]); err != nil {
			return err
		}
		advance(first)
	}
}

package logging

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
	"github.com/spf13/pflag"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func optionsOf(g Gomega, args ...string) Options {
	var opts Options
	flags := pflag.NewFlagSet("test", pflag.ContinueOnError)
	opts.BindFlags(flags)
	g.Expect(flags.Parse(args)).To(Succeed())
	return opts
}

// The values are those that Deployments have had since the first release.
func TestFlags(t *testing.T) {
	for _, test := range []struct {
		reason string
		args   []string
		want   string
	}{
		{"by default", nil, ""},
		{"as the Deployment has them", []string{"--log-level=info", "--log-encoding=json"}, ""},
		{"for somebody who reads along", []string{"--log-level=trace", "--log-encoding=console"}, ""},
		{"debug", []string{"--log-level=debug"}, ""},
		{"errors alone", []string{"--log-level=error"}, ""},
		{"a level that nobody knows", []string{"--log-level=loud"}, `flag --log-level: "loud" is not known; known are debug, error, info, trace`},
		{"no level", []string{"--log-level="}, `flag --log-level: "" is not known; known are debug, error, info, trace`},
		{"an encoding that nobody knows", []string{"--log-encoding=xml"}, `flag --log-encoding: "xml" is not known; known are console, json`},
	} {
		g := NewWithT(t)
		opts := optionsOf(g, test.args...)
		if test.want == "" {
			g.Expect(opts.Validate()).To(Succeed(), test.reason)
		} else {
			g.Expect(opts.Validate()).To(MatchError(test.want), test.reason)
		}
	}
}

func TestLevels(t *testing.T) {
	for _, test := range []struct {
		level string
		want  []string
	}{
		{"error", []string{"an error"}},
		{"info", []string{"some information", "an error"}},
		{"debug", []string{"for debugging", "some information", "an error"}},
		{"trace", []string{"a trace", "for debugging", "some information", "an error"}},
	} {
		g := NewWithT(t)
		var out bytes.Buffer
		logger := New(optionsOf(g, "--log-level="+test.level), &out)
		logger.V(2).Info("a trace")
		logger.V(1).Info("for debugging")
		logger.Info("some information")
		logger.Error(errors.New("broken"), "an error")
		var messages []string
		for line := range strings.Lines(out.String()) {
			var logged struct{ Msg, Level, Ts string }
			g.Expect(json.Unmarshal([]byte(line), &logged)).To(Succeed())
			g.Expect(logged.Level).To(BeElementOf("trace", "debug", "info", "error"))
			g.Expect(logged.Ts).To(MatchRegexp(`^\d{4}-\d\d-\d\dT`))
			messages = append(messages, logged.Msg)
		}
		g.Expect(messages).To(Equal(test.want), test.level)
	}
}

func TestConsole(t *testing.T) {
	g := NewWithT(t)
	var out bytes.Buffer
	New(optionsOf(g, "--log-encoding=console", "--log-level=trace"), &out).V(2).Info("a trace", "pod", "payments-0")
	g.Expect(out.String()).To(MatchRegexp(`^\S+\tTRACE\ta trace\t\{"pod": "payments-0"\}\n$`))
}

// What repeats is sampled; other lines and other errors beside it are written, though
// controller-runtime has one message for all, and so is everything for somebody who debugs.
func TestRepeatedErrorsAreSampled(t *testing.T) {
	for level, want := range map[string]int{"info": 20 + 4, "debug": 100} {
		g := NewWithT(t)
		var out bytes.Buffer
		logger := New(optionsOf(g, "--log-level="+level), &out)
		for i := range 100 {
			logger.WithValues("reconcileID", i).Error(errors.New("broken"), "Reconciler error")
		}
		logger.Error(errors.New("refused"), "Reconciler error")
		logger.Error(nil, "Reconciler error")
		logger.Info("Reconciler error")
		logger.Error(errors.New("broken"), "another")
		g.Expect(strings.Count(out.String(), `"error":"broken"`)).To(Equal(want+1), level)
		g.Expect(strings.Count(out.String(), `"error":"refused"`)).To(Equal(1), level)
		g.Expect(strings.Count(out.String(), `"msg":"Reconciler error"`)).To(Equal(want+3), level)
		g.Expect(strings.Count(out.String(), `"msg":"another"`)).To(Equal(1), level)
	}
}

func TestObjectsAreLoggedByName(t *testing.T) {
	g := NewWithT(t)
	var out bytes.Buffer
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "team-a", Name: "bitcoin-rpc"}, StringData: map[string]string{"BC_RPC_PASSWORD": "correct horse"}}
	New(optionsOf(g), &out).Info("seen", "secret", secret)
	g.Expect(out.String()).To(And(ContainSubstring("bitcoin-rpc"), Not(ContainSubstring("correct horse"))))
}

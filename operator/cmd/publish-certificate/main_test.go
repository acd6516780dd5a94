package main

import (
	"testing"

	. "github.com/onsi/gomega"
	"github.com/spf13/pflag"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

var needed = []string{"--from=http://sealed-secrets:8080/v1/cert.pem", "--to=certificate", "--namespace=sealing"}

func TestFlags(t *testing.T) {
	g := NewWithT(t)
	opts, err := parse(needed)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(opts.from).To(Equal("http://sealed-secrets:8080/v1/cert.pem"))
	g.Expect(opts.to).To(Equal(client.ObjectKey{Namespace: "sealing", Name: "certificate"}))
	g.Expect(opts.healthAddr).To(Equal(":9440"))

	t.Setenv("RUNTIME_NAMESPACE", "of-the-pod")
	opts, err = parse(needed[:2])
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(opts.to.Namespace).To(Equal("of-the-pod"))
}

func TestFlagsThatAreRefused(t *testing.T) {
	t.Setenv("RUNTIME_NAMESPACE", "")
	for _, test := range []struct {
		reason string
		args   []string
		want   string
	}{
		{"nobody to ask", needed[1:], "flag --from must be set"},
		{"no ConfigMap", []string{needed[0], needed[2]}, "flag --to must be set"},
		{"no namespace", needed[:2], "flag --namespace must be set"},
		{"a level of logs that nobody knows", append(needed, "--log-level=loud"), `flag --log-level: "loud" is not known; known are debug, error, info, trace`},
		{"a flag that nobody knows", append(needed, "--no-such-flag"), "unknown flag: --no-such-flag"},
		{"help, which is no failure", []string{"--help"}, pflag.ErrHelp.Error()},
	} {
		_, err := parse(test.args)
		NewWithT(t).Expect(err).To(MatchError(test.want), test.reason)
	}
}

// Whoever asks for the version names no namespace.
func TestVersion(t *testing.T) {
	opts, err := parse([]string{"--version"})
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	NewWithT(t).Expect(opts.version).To(BeTrue())
}

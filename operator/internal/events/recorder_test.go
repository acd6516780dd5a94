package events

import (
	"context"
	"fmt"
	"testing"

	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/record"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
)

// slow is an address at which nobody answers until it is released.
type slow struct {
	record.FakeRecorder
	release chan struct{}
	posted  chan string
}

func (s *slow) Event(_ runtime.Object, _, reason, _ string) {
	<-s.release
	s.posted <- reason
}

func TestNobodyWaitsForFlux(t *testing.T) {
	g := NewWithT(t)
	kubernetes := record.NewFakeRecorder(1000)
	flux := &slow{release: make(chan struct{}), posted: make(chan string, 1000)}
	recorder := &Recorder{EventRecorder: kubernetes, flux: flux, waiting: make(chan func(), maxWaiting)}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- recorder.Start(ctx) }()

	const told = 3 * maxWaiting
	for i := range told { // returns, though nobody answers
		recorder.Event(&v1alpha1.BitcoinNetwork{}, "Normal", fmt.Sprint(i), "")
	}
	g.Expect(kubernetes.Events).To(HaveLen(told), "Kubernetes has them all, at once")

	close(flux.release)
	for i := range maxWaiting {
		g.Expect(<-flux.posted).To(Equal(fmt.Sprint(i)), "in order; those that did not fit are lost to it")
	}
	stop()
	g.Expect(<-ended).To(Succeed())
}

// The operator ends when it is told to, whoever does not answer.
func TestEndDoesNotWaitForFlux(t *testing.T) {
	g := NewWithT(t)
	flux := &slow{release: make(chan struct{}), posted: make(chan string, 1)}
	recorder := &Recorder{EventRecorder: record.NewFakeRecorder(1), flux: flux, waiting: make(chan func(), maxWaiting)}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- recorder.Start(ctx) }()
	recorder.Event(&v1alpha1.BitcoinNetwork{}, "Normal", "Connected", "")
	g.Eventually(recorder.waiting).Should(BeEmpty(), "it is being posted")

	stop()
	g.Eventually(ended).Should(Receive(Succeed()))
	close(flux.release)
	g.Eventually(flux.posted).Should(Receive())
}

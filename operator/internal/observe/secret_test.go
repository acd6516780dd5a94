package observe

import (
	"testing"
	"time"

	. "github.com/onsi/gomega"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/bitcoind"
)

// The Secret is read when its watch tells of another, and else seldom. An operator that may
// not watch it reads it at each look.
func TestWhenTheSecretIsRead(t *testing.T) {
	for _, test := range []struct {
		reason  string
		watches bool
		happens func(*scene)
		read    bool
	}{
		{"the watch has told of no other", true, func(*scene) {}, false},
		{"there is no watch", false, func(*scene) {}, true},
		{"the watch tells of another", true, func(s *scene) { s.observer.SecretVersion.Tell("1000") }, true},
		{"the watch tells that it is gone", true, func(s *scene) { s.observer.SecretVersion.Tell("") }, true},
		{"a watch may have stopped", true, func(s *scene) { s.clock.Step(secretAgain) }, true},
		{"somebody has changed the network, and with it its users", true, func(s *scene) { s.network.Generation++ }, true},
		{"somebody asks", true, func(s *scene) { s.observer.AskAll(client.ObjectKeyFromObject(s.network)) }, true},
	} {
		g := NewWithT(t)
		s := newScene(t, 1)
		s.look()
		if test.watches {
			s.observer.SecretVersion.Tell(s.cache().secret.found.Version)
		}
		test.happens(s)
		s.secret.Data[bitcoind.PreviousUserKey], s.secret.Data[bitcoind.PreviousPasswordKey] = []byte("bob"), []byte("battery staple")
		want := 1
		if test.read {
			want = 2
		}
		g.Expect(s.lookAfter(time.Second).Secret.Pairs).To(Equal(want), test.reason)
	}
}

// Of what nobody watches, a SealedSecret, every other regular look hears; one that comes later
// hears at once.
func TestWhenTheSealedSecretIsRead(t *testing.T) {
	for _, test := range []struct {
		reason  string
		after   time.Duration
		happens func(*scene)
		read    bool
	}{
		{"at once after it was read", time.Second, func(*scene) {}, false},
		{"at the next regular look, which comes a tenth late", 33 * time.Second, func(*scene) {}, false},
		{"at the one after it, which both come a tenth early", 54 * time.Second, func(*scene) {}, true},
		{"looks are rare", time.Hour, func(*scene) {}, true},
		{"somebody asks", time.Second, func(s *scene) { s.observer.AskAll(client.ObjectKeyFromObject(s.network)) }, true},
	} {
		g := NewWithT(t)
		s := newScene(t, 1)
		s.look()
		s.observer.SecretVersion.Tell(s.cache().secret.found.Version)
		s.others = append(s.others, notOpened())
		test.happens(s)
		g.Expect(s.lookAfter(test.after).Secret.NotApplied != "").To(Equal(test.read), test.reason)
	}
}

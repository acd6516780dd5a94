package resources

import (
	"testing"

	. "github.com/onsi/gomega"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
)

func TestPrimaryService(t *testing.T) {
	g := NewWithT(t)
	network := networkNamed("payments", withTopics(v1alpha1.RawBlock))
	service := PrimaryService(network, chainOf(network), 2)
	g.Expect(service.Name).To(Equal("payments-primary"))
	g.Expect(service.Spec.Selector).To(Equal(map[string]string{
		NetworkLabel:                         "payments", // a pod of that name may be another's
		"statefulset.kubernetes.io/pod-name": "payments-2",
	}))
	g.Expect(portsOfService(g, service)).To(Equal(map[string]int32{"p2p": 18444, "rpc": 18443, "zmq-rawblock": 28332}))
	g.Expect(service.Spec.ClusterIP).To(BeEmpty(), "an address that stays")
	g.Expect(service.Spec.PublishNotReadyAddresses).To(BeFalse(), "a node that is not ready may not have the best block")
	g.Expect(service.Spec.SessionAffinity).To(BeEmpty(), "there is one node")
}

func TestConnection(t *testing.T) {
	for _, test := range []struct {
		reason string
		change func(*v1alpha1.BitcoinNetwork)
		want   map[string]string
	}{
		{"what most networks are", func(*v1alpha1.BitcoinNetwork) {}, map[string]string{
			"type": "bitcoind", "chain": "regtest", "host": "payments-primary.team-a.svc.cluster.local",
			"rpc-port": "18443", "p2p-port": "18444",
			"secret": "bitcoin-rpc", "secret-user-key": "BC_RPC_USER", "secret-password-key": "BC_RPC_PASSWORD",
		}},
		{"notifications have an address each", withTopics(v1alpha1.RawBlock, v1alpha1.RawTx), map[string]string{
			"type": "bitcoind", "chain": "regtest", "host": "payments-primary.team-a.svc.cluster.local",
			"rpc-port": "18443", "p2p-port": "18444",
			"zmq-rawblock": "tcp://payments-primary.team-a.svc.cluster.local:28332",
			"zmq-rawtx":    "tcp://payments-primary.team-a.svc.cluster.local:28333",
			"secret":       "bitcoin-rpc", "secret-user-key": "BC_RPC_USER", "secret-password-key": "BC_RPC_PASSWORD",
		}},
		{"users have a key each", withUsers(v1alpha1.User{Name: "lnd"}, v1alpha1.User{Name: "btc-pay"}), map[string]string{
			"type": "bitcoind", "chain": "regtest", "host": "payments-primary.team-a.svc.cluster.local",
			"rpc-port": "18443", "p2p-port": "18444",
			"secret": "bitcoin-rpc", "secret-user-key": "BC_RPC_USER", "secret-password-key": "BC_RPC_PASSWORD",
			"secret-password-key-lnd": "BC_RPC_PASSWORD_LND", "secret-password-key-btc-pay": "BC_RPC_PASSWORD_BTC_PAY",
		}},
		{"default credentials are in no Secret", withoutSecret, map[string]string{
			"type": "bitcoind", "chain": "regtest", "host": "payments-primary.team-a.svc.cluster.local",
			"rpc-port": "18443", "p2p-port": "18444",
		}},
	} {
		t.Run(test.reason, func(t *testing.T) {
			g := NewWithT(t)
			network := networkNamed("payments", test.change)
			config := Connection(network, platform, chainOf(network))
			g.Expect(config.Name).To(Equal("payments-connection"))
			g.Expect(config.Data).To(Equal(test.want))
		})
	}
}

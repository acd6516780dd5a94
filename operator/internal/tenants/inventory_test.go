package tenants

import (
	"testing"

	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/resources"
)

func TestFate(t *testing.T) {
	network := func(name string, changes ...func(*v1alpha1.BitcoinNetwork)) v1alpha1.BitcoinNetwork {
		found := v1alpha1.BitcoinNetwork{
			ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{appliedBy: "networks"}},
			Spec:       v1alpha1.BitcoinNetworkSpec{Nodes: 3},
		}
		for _, change := range changes {
			change(&found)
		}
		return found
	}
	storage := func(whenDeleted appsv1.PersistentVolumeClaimRetentionPolicyType) func(*v1alpha1.BitcoinNetwork) {
		return func(n *v1alpha1.BitcoinNetwork) { n.Spec.Storage = &v1alpha1.Storage{WhenDeleted: whenDeleted} }
	}
	protected := func(n *v1alpha1.BitcoinNetwork) { n.Spec.Protect = true }
	byHand := func(n *v1alpha1.BitcoinNetwork) { n.Labels = nil }
	claim := func(name, network string) corev1.PersistentVolumeClaim {
		return corev1.PersistentVolumeClaim{
			ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{resources.NetworkLabel: network}},
			Spec:       corev1.PersistentVolumeClaimSpec{Resources: corev1.VolumeResourceRequirements{Requests: corev1.ResourceList{"storage": resource.MustParse("10Gi")}}},
		}
	}
	secrets := []metav1.ObjectMeta{{Name: "bitcoin-rpc", Labels: map[string]string{appliedBy: "networks"}}}
	const (
		operator, people = "the operator, with its account and its rights", "the rights of the team's people"
		namespace        = "Namespace team-c, with its limits, its network policies, and the account that Flux removes with"
	)
	for _, test := range []struct {
		reason    string
		inventory Inventory
		want      Fate
	}{
		{"a team without networks", Inventory{}, Fate{Goes: []string{operator, people}, Stays: []string{namespace}}},
		{"networks of its repository, and their Secret", Inventory{Networks: []v1alpha1.BitcoinNetwork{network("a")}, SealedSecrets: secrets},
			Fate{Goes: []string{operator, people, "network a, with its 3 nodes, and its chain", "SealedSecret bitcoin-rpc, and its Secret"}, Stays: []string{namespace}}},
		{"a Secret of its repository, by SOPS or an ExternalSecret", Inventory{Committed: []string{"Secret bitcoin-rpc"}},
			Fate{Goes: []string{operator, people, "Secret bitcoin-rpc"}, Stays: []string{namespace}}},
		{"volumes stay but where their owner opted out", Inventory{
			Networks: []v1alpha1.BitcoinNetwork{network("keeps", storage("")), network("drops", storage("Delete"))},
			Claims:   []corev1.PersistentVolumeClaim{claim("data-keeps-0", "keeps"), claim("data-drops-0", "drops"), claim("data-old-0", "old")}},
			Fate{
				Goes:  []string{operator, people, "network keeps, with its 3 nodes, whose chain stays in its volumes", "network drops, with its 3 nodes, and its chain", "volume claim data-drops-0 (10Gi)"},
				Stays: []string{namespace, "volume claim data-keeps-0 (10Gi)", "volume claim data-old-0 (10Gi)"},
			}},
		{"one that is protected", Inventory{Networks: []v1alpha1.BitcoinNetwork{network("a", protected, storage("Delete"))}, Claims: []corev1.PersistentVolumeClaim{claim("data-a-0", "a")}},
			Fate{
				Goes: []string{operator, people},
				Stays: []string{namespace, "network a, with its 3 nodes: spec.protect. It runs on without an operator, and Kustomization networks waits for it",
					"volume claim data-a-0 (10Gi)"},
				First: []string{"network a is protected: to remove it, commit protect: false first, or delete it afterwards as the platform team"},
			}},
		{"what somebody made by hand", Inventory{Networks: []v1alpha1.BitcoinNetwork{network("a", byHand)}, SealedSecrets: []metav1.ObjectMeta{{Name: "bitcoin-rpc"}}},
			Fate{Goes: []string{operator, people}, Stays: []string{namespace, "network a, with its 3 nodes: it is not from the team's repository, and runs on without an operator",
				"SealedSecret bitcoin-rpc, and its Secret: it is not from the team's repository"}}},
		{"a frozen team", Inventory{Suspended: true, Networks: []v1alpha1.BitcoinNetwork{network("a", storage("Delete"))}, SealedSecrets: secrets, Claims: []corev1.PersistentVolumeClaim{claim("data-a-0", "a")}},
			Fate{
				Goes:  []string{operator, people},
				Stays: []string{namespace, "network a, with its 3 nodes: it runs on without an operator", "SealedSecret bitcoin-rpc, and its Secret", "volume claim data-a-0 (10Gi)"},
				First: []string{"Kustomization networks is suspended, and Flux removes nothing that a suspended one has applied:\nkubectl patch kustomization networks -n team-c --type=merge -p '{\"spec\":{\"suspend\":false}}', or unfreeze the team"},
			}},
		{"a pair of its own", Inventory{OwnFlux: true}, Fate{
			Goes: []string{operator, people}, Stays: []string{namespace},
			First: []string{"the team has controllers of its own: remove it from Git first, then delete the namespace, not the other way round"},
		}},
	} {
		test.inventory.Team = "team-c"
		NewWithT(t).Expect(test.inventory.Fate()).To(Equal(test.want), test.reason)
	}
}

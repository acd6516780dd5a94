package controller

import (
	"slices"
	"testing"

	"github.com/fluxcd/pkg/apis/meta"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	storagev1 "k8s.io/api/storage/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state"
)

// volumes gives a network volumes of 1Gi, of a class that lets them grow or does not.
// Classes are the cluster's, and shared with other tests.
func (w *world) volumes(class string) func(*v1alpha1.BitcoinNetworkSpec) {
	w.Expect(client.IgnoreAlreadyExists(w.api.Create(w.ctx, &storagev1.StorageClass{
		ObjectMeta: metav1.ObjectMeta{Name: class}, Provisioner: "example.com/none", AllowVolumeExpansion: new(class == "fast"),
	}))).To(Succeed())
	return func(spec *v1alpha1.BitcoinNetworkSpec) {
		spec.Storage = &v1alpha1.Storage{Size: resource.MustParse("1Gi"), ClassName: &class}
	}
}

// resizeTo changes the size that a network asks for.
func (w *world) resizeTo(network *v1alpha1.BitcoinNetwork, size string) {
	w.edit(network, func(spec *v1alpha1.BitcoinNetworkSpec) { spec.Storage.Size = resource.MustParse(size) })
}

// asked returns what claims ask for.
func (w *world) asked(names ...string) func() []string {
	return func() []string {
		var sizes []string
		for _, name := range names {
			asked := state.Asked(w.claim(name))
			sizes = append(sizes, asked.String())
		}
		return sizes
	}
}

func (w *world) claim(name string) *corev1.PersistentVolumeClaim {
	claim := &corev1.PersistentVolumeClaim{}
	w.Expect(w.api.Get(w.ctx, client.ObjectKey{Namespace: w.namespace, Name: name}, claim)).To(Succeed())
	return claim
}

// has is what the storage says of a claim.
func (w *world) has(name, size string, changes ...func(*corev1.PersistentVolumeClaimStatus)) {
	claim := w.claim(name)
	claim.Status.Capacity = corev1.ResourceList{corev1.ResourceStorage: resource.MustParse(size)}
	for _, change := range changes {
		change(&claim.Status)
	}
	w.Expect(w.api.Status().Update(w.ctx, claim)).To(Succeed())
}

// quota bounds what claims ask for, of which so much is used.
func (w *world) quota(name corev1.ResourceName, hard, used string) {
	limit := corev1.ResourceList{name: resource.MustParse(hard)}
	quota := &corev1.ResourceQuota{ObjectMeta: metav1.ObjectMeta{Name: "tight", Namespace: w.namespace}, Spec: corev1.ResourceQuotaSpec{Hard: limit}}
	w.Expect(w.api.Create(w.ctx, quota)).To(Succeed())
	quota.Status = corev1.ResourceQuotaStatus{Hard: limit, Used: corev1.ResourceList{name: resource.MustParse(used)}}
	w.Expect(w.api.Status().Update(w.ctx, quota)).To(Succeed())
}

func TestVolumesGrow(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.secret()
	network := w.becomesReady(w.network("payments", 2, w.volumes("fast")))
	w.Expect(w.condition(network, v1alpha1.StorageReadyCondition)()).To(Equal("True SizeReached: 2 volumes of at least 1Gi"))
	w.Expect(w.status(network).Status.Storage.String()).To(Equal("1Gi"))

	w.resizeTo(network, "2Gi")
	w.Eventually(w.condition(network, v1alpha1.StorageReadyCondition)).Should(Equal("False Resizing: " +
		"data-payments-0 requests 2Gi and has 1Gi: resizing has not started; data-payments-1 requests 2Gi and has 1Gi: resizing has not started"))
	w.becomesReady(network)
	w.Expect(w.status(network).Status.Storage.String()).To(Equal("1Gi"), "it is what volumes have")

	w.has("data-payments-0", "2Gi")
	w.has("data-payments-1", "1Gi", func(status *corev1.PersistentVolumeClaimStatus) {
		status.Conditions = []corev1.PersistentVolumeClaimCondition{{
			Type: corev1.PersistentVolumeClaimFileSystemResizePending, Status: corev1.ConditionTrue, Message: "waiting for a pod",
		}}
	})
	w.Eventually(w.condition(network, v1alpha1.StorageReadyCondition)).Should(Equal(
		"False Resizing: data-payments-1 requests 2Gi and has 1Gi: FileSystemResizePending: waiting for a pod"))
	w.has("data-payments-1", "2Gi")
	w.Eventually(w.condition(network, v1alpha1.StorageReadyCondition)).Should(Equal("True SizeReached: 2 volumes of at least 2Gi"))
	w.Expect(w.status(network).Status.Storage.String()).To(Equal("2Gi"))
	w.tells("Normal SizeReached 2 volumes of at least 2Gi")
}

// A size that cannot be had can be taken back, whoever refuses it: the quota before a
// claim has changed, the storage after.
func TestSizeThatCannotBeHadIsTakenBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.secret()
	network := w.becomesReady(w.network("payments", 3, w.volumes("fast")))
	w.quota(corev1.ResourceRequestsStorage, "5Gi", "3Gi") // enough for each, and not for all

	w.resizeTo(network, "2Gi")
	w.Eventually(w.condition(network, meta.StalledCondition)).Should(Equal(
		`True QuotaExceeded: volumes cannot grow to 2Gi: that needs 3Gi of requests.storage, and quota "tight" has 2Gi left; ` +
			"no claim has grown; ask the platform team for a larger quota, or set spec.storage.size back to 1Gi (status.storage) or more"))
	claims := []string{"data-payments-0", "data-payments-1", "data-payments-2"}
	w.Expect(w.asked(claims...)()).To(Equal([]string{"1Gi", "1Gi", "1Gi"}))

	w.resizeTo(network, "1536Mi")
	w.Eventually(w.asked(claims...)).Should(Equal([]string{"1536Mi", "1536Mi", "1536Mi"}))
	w.becomesReady(network)
	w.has("data-payments-1", "1Gi", func(status *corev1.PersistentVolumeClaimStatus) {
		status.AllocatedResources = corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("1536Mi")}
		status.AllocatedResourceStatuses = map[corev1.ResourceName]corev1.ClaimResourceStatus{
			corev1.ResourceStorage: corev1.PersistentVolumeClaimControllerResizeInfeasible,
		}
	})
	w.Eventually(w.condition(network, meta.StalledCondition)).Should(Equal(
		"True ResizeInfeasible: data-payments-1 requests 1536Mi and has 1Gi: ControllerResizeInfeasible; " +
			"set spec.storage.size to what the storage can provide, which is at least 1Gi (status.storage)"))

	w.resizeTo(network, "1Gi")
	w.Eventually(w.asked(claims...)).Should(Equal([]string{"1025Mi", "1025Mi", "1025Mi"}), "Kubernetes takes no less than that")
	w.becomesReady(network)
	w.Expect(w.condition(network, v1alpha1.StorageReadyCondition)()).To(Equal("True SizeReached: 3 volumes of at least 1Gi"))
}

// Where the operator may not see the quotas, it grows claims one by one, and says how
// far it came. That, too, can be taken back.
func TestGrowthThatStopsHalfWayIsTakenBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.secret()
	network := w.becomesReady(w.network("payments", 3, w.volumes("fast")))
	role := &rbacv1.Role{}
	w.Expect(w.api.Get(w.ctx, client.ObjectKey{Namespace: w.namespace, Name: "bitcoin-operator"}, role)).To(Succeed())
	role.Rules = slices.DeleteFunc(role.Rules, func(rule rbacv1.PolicyRule) bool { return slices.Contains(rule.Resources, "resourcequotas") })
	w.Expect(w.api.Update(w.ctx, role)).To(Succeed())
	operator, err := client.New(w.operator, client.Options{Scheme: scheme})
	w.Expect(err).NotTo(HaveOccurred())
	w.Eventually(func() error {
		return operator.List(w.ctx, &corev1.ResourceQuotaList{}, client.InNamespace(w.namespace))
	}).Should(Satisfy(apierrors.IsForbidden), "the API server has heard of it")
	w.quota(corev1.ResourceRequestsStorage, "5Gi", "3Gi")

	w.resizeTo(network, "2Gi")
	w.Eventually(w.condition(network, meta.StalledCondition)).Should(Equal(
		`True StorageRefused: volume claim "data-payments-2" cannot grow to 2Gi: persistentvolumeclaims "data-payments-2" is forbidden: ` +
			"exceeded quota: tight, requested: requests.storage=1Gi, used: requests.storage=5Gi, limited: requests.storage=5Gi; " +
			"the claims of nodes 0, 1 already request it, those of node 2 do not; " +
			"the quotas that the operator sees have room, so check the storage class, limit ranges and admission policies, " +
			"or set spec.storage.size back to 1Gi (status.storage) or more"))
	w.resizeTo(network, "1Gi")
	w.Eventually(w.asked("data-payments-0", "data-payments-1", "data-payments-2")).Should(Equal([]string{"1025Mi", "1025Mi", "1Gi"}))
	w.becomesReady(network)
}

// A quota that was used up half way is told with what had grown until then.
func TestQuotaWithoutRoomForTheRest(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.secret()
	network := w.becomesReady(w.network("payments", 3, w.volumes("fast")))
	w.has("data-payments-0", "2Gi") // else the operator would have the claim ask for what the network says
	before := w.claim("data-payments-0")
	grown := before.DeepCopy()
	grown.Spec.Resources.Requests[corev1.ResourceStorage] = resource.MustParse("2Gi")
	w.Expect(w.api.Patch(w.ctx, grown, client.MergeFrom(before))).To(Succeed())
	w.quota("fast.storageclass.storage.k8s.io/requests.storage", "5Gi", "4Gi")

	w.resizeTo(network, "2Gi")
	w.Eventually(w.condition(network, meta.StalledCondition)).Should(Equal(
		`True QuotaExceeded: volumes cannot grow to 2Gi: that needs 2Gi of fast.storageclass.storage.k8s.io/requests.storage, and quota "tight" has 1Gi left; ` +
			"the claims of node 0 already request it, those of nodes 1, 2 do not; " +
			"ask the platform team for a larger quota, or set spec.storage.size back to 1Gi (status.storage) or more"))
}

func TestClassThatLetsNoVolumeGrow(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.secret()
	network := w.becomesReady(w.network("payments", 2, w.volumes("slow")))
	w.quota(corev1.ResourceRequestsStorage, "4Gi", "2Gi")

	w.resizeTo(network, "2Gi")
	w.Eventually(w.condition(network, meta.StalledCondition)).Should(Equal(
		`True StorageRefused: volume claim "data-payments-0" cannot grow to 2Gi: persistentvolumeclaims "data-payments-0" is forbidden: ` +
			"only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize; no claim has grown; " +
			"the quotas that the operator sees have room, so check the storage class, limit ranges and admission policies, " +
			"or set spec.storage.size back to 1Gi (status.storage) or more"))
	w.Expect(w.asked("data-payments-0", "data-payments-1")()).To(Equal([]string{"1Gi", "1Gi"}))
	w.tells("Warning StorageRefused ")
	w.resizeTo(network, "1Gi")
	w.becomesReady(network)
}

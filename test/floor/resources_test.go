package floor

import (
	"testing"

	. "github.com/onsi/gomega"
	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/validation"
)

// The floor takes the resource definitions: their rules compile, and cost no more than
// it estimates that they may.
func TestFloorTakesTheResourceDefinitions(t *testing.T) {
	g := NewWithT(t)
	all, err := manifests()
	g.Expect(err).NotTo(HaveOccurred())
	definitions := 0
	for _, manifest := range all {
		if manifest.kind.Kind != "CustomResourceDefinition" {
			continue
		}
		definitions++
		object, err := manifest.object()
		g.Expect(err).NotTo(HaveOccurred())
		definition := object.(*apiextensionsv1.CustomResourceDefinition)
		// What the API server sets when it is made.
		apiextensionsv1.SetDefaults_CustomResourceDefinition(definition)
		apiextensionsv1.SetDefaults_CustomResourceDefinitionSpec(&definition.Spec)
		for _, version := range definition.Spec.Versions {
			if version.Storage {
				definition.Status.StoredVersions = []string{version.Name}
			}
		}
		internal := &apiextensions.CustomResourceDefinition{}
		g.Expect(apiextensionsv1.Convert_v1_CustomResourceDefinition_To_apiextensions_CustomResourceDefinition(definition, internal, nil)).To(Succeed())
		g.Expect(validation.ValidateCustomResourceDefinition(t.Context(), internal)).To(BeEmpty(), "%s", definition.Name)
	}
	g.Expect(definitions).To(BeNumerically(">", 0))
}

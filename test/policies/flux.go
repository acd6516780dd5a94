package policies

import (
	"strings"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// FluxKinds are those of Flux's kinds that a team has one of, with anything in them.
func FluxKinds() []*apiextensionsv1.CustomResourceDefinition {
	kind := func(group, kind string) *apiextensionsv1.CustomResourceDefinition {
		singular := strings.ToLower(kind)
		plural := strings.Replace(singular+"s", "ys", "ies", 1)
		return &apiextensionsv1.CustomResourceDefinition{
			ObjectMeta: metav1.ObjectMeta{Name: plural + "." + group},
			Spec: apiextensionsv1.CustomResourceDefinitionSpec{
				Group: group, Scope: apiextensionsv1.NamespaceScoped,
				Names: apiextensionsv1.CustomResourceDefinitionNames{Kind: kind, Plural: plural, Singular: singular},
				Versions: []apiextensionsv1.CustomResourceDefinitionVersion{{
					Name: "v1", Served: true, Storage: true,
					Schema:       &apiextensionsv1.CustomResourceValidation{OpenAPIV3Schema: &apiextensionsv1.JSONSchemaProps{Type: "object", XPreserveUnknownFields: new(true)}},
					Subresources: &apiextensionsv1.CustomResourceSubresources{Status: &apiextensionsv1.CustomResourceSubresourceStatus{}},
				}},
			},
		}
	}
	return []*apiextensionsv1.CustomResourceDefinition{
		kind("kustomize.toolkit.fluxcd.io", "Kustomization"), kind("source.toolkit.fluxcd.io", "GitRepository"),
	}
}

package controller

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/yaml"
)

// What the operator's Role lets it reach, it has a name for. Leases it reaches without.
func TestMapperKnowsWhatTheRoleNames(t *testing.T) {
	g := NewWithT(t)
	mapper, err := NewMapper(nil, nil)
	g.Expect(err).NotTo(HaveOccurred())
	for _, rule := range slices.Concat(rules(g, "role.yaml"), rules(g, "role-secret.yaml")) {
		for _, resource := range rule.Resources {
			resource, _, _ := strings.Cut(resource, "/")
			if resource == "leases" {
				continue
			}
			kind, err := mapper.KindFor(schema.GroupVersionResource{Group: rule.APIGroups[0], Resource: resource})
			g.Expect(err).NotTo(HaveOccurred())
			mapping, err := mapper.RESTMapping(kind.GroupKind())
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(mapping.Resource.Resource).To(Equal(resource))
			_, err = mapper.RESTMapping(schema.GroupKind{Group: kind.Group, Kind: kind.Kind + "List"})
			g.Expect(err).NotTo(HaveOccurred(), "in lists")
		}
	}
}

// rules returns those of the Role with which a file of gitops/operator begins.
func rules(g *WithT, file string) []rbacv1.PolicyRule {
	content, err := os.ReadFile(filepath.Join("../../../gitops/operator", file))
	g.Expect(err).NotTo(HaveOccurred())
	first, _, _ := strings.Cut(string(content), "\n---\n")
	var role rbacv1.Role
	g.Expect(yaml.UnmarshalStrict([]byte(first), &role)).To(Succeed())
	g.Expect(role.Rules).NotTo(BeEmpty())
	return role.Rules
}

package controller

import (
	"strings"
	"testing"

	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// What the operator's Role lets it reach, it has a name for. Leases it reaches without.
func TestMapperKnowsWhatTheRoleNames(t *testing.T) {
	g := NewWithT(t)
	mapper, err := NewMapper(nil, nil)
	g.Expect(err).NotTo(HaveOccurred())
	for _, role := range operatorRoles(g) {
		g.Expect(role.Rules).NotTo(BeEmpty())
		for _, rule := range role.Rules {
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
}

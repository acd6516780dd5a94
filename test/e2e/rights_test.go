package e2e

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"slices"
	"strings"

	rbacv1 "k8s.io/api/rbac/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/bitcoin-operator/bitcoin-operator/test/fleet"
)

// checkRights holds what the operators, the controllers that build teams' commits, and
// what publishes the certificate have asked of the API server, in the whole suite, against their Roles: no right is there
// for nothing, and none is lacking. It says nothing of a part of the suite.
func checkRights(ctx context.Context, audit *fleet.Audit) error {
	if flag.Lookup("test.run").Value.String() != "" {
		return nil
	}
	return errors.Join(
		checkRightsOf(ctx, audit, "bitcoin-operator", "", "team-a", "bitcoin-operator", "bitcoin-operator-secret"),
		checkRightsOf(ctx, audit, "kustomize-controller", "flux-tenants-kustomize-controller", "team-a", "kustomize-controller"),
		checkRightsOf(ctx, audit, "source-controller", "flux-tenants-source-controller", "team-a", "source-controller"),
		checkRightsOf(ctx, audit, "publisher", "", "sealing", "publisher"),
	)
}

// checkRightsOf holds the accounts of that name against a ClusterRole, if there is one, and
// these Roles of a namespace.
func checkRightsOf(ctx context.Context, audit *fleet.Audit, account, clusterRole, namespace string, roles ...string) error {
	used, lacked, err := audit.Rights(account)
	if err != nil {
		return err
	}
	given, err := rightsGiven(ctx, namespace, clusterRole, roles...)
	if err != nil {
		return err
	}
	var unused []fleet.Right
	for right := range given {
		if !used[right] {
			unused = append(unused, right)
		}
		delete(lacked, right) // a tenant's Role comes, or goes, a moment before or after its operator
	}
	// So does the operator's lease, which it may not make.
	delete(lacked, fleet.Right{Verb: "create", Group: "coordination.k8s.io", Resource: "leases"})
	if len(lacked) > 0 {
		err = fmt.Errorf("the rights of %s lack %v", account, slices.Collect(maps.Keys(lacked)))
	}
	if len(unused) > 0 {
		err = errors.Join(err, fmt.Errorf("the rights of %s have what no test makes use of: %v", account, unused))
	}
	if err == nil {
		fmt.Printf("%s has made use of all of its %d rights, and asked for no other\n", account, len(given))
	}
	return err
}

// rightsGiven returns what Roles allow, and a ClusterRole if one is named.
func rightsGiven(ctx context.Context, namespace, clusterRole string, roles ...string) (map[fleet.Right]bool, error) {
	var rules []rbacv1.PolicyRule
	if clusterRole != "" {
		var role rbacv1.ClusterRole
		if err := cluster.API.Get(ctx, client.ObjectKey{Name: clusterRole}, &role); err != nil {
			return nil, fmt.Errorf("read ClusterRole %s: %w", clusterRole, err)
		}
		rules = append(rules, role.Rules...)
	}
	for _, name := range roles {
		var role rbacv1.Role
		if err := cluster.API.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, &role); err != nil {
			return nil, fmt.Errorf("read Role %s: %w", name, err)
		}
		rules = append(rules, role.Rules...)
	}
	given := map[fleet.Right]bool{}
	for _, rule := range rules {
		for _, verb := range rule.Verbs {
			for _, resource := range rule.Resources {
				given[fleet.Right{Verb: verb, Group: strings.Join(rule.APIGroups, ","), Resource: resource}] = true
			}
		}
	}
	return given, nil
}

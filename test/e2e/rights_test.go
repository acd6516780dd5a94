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

// checkRights holds what the operators have asked of the API server, in the whole
// suite, against their Roles: no right is there for nothing, and none is lacking. It
// says nothing of a part of the suite.
func checkRights(ctx context.Context, audit *fleet.Audit) error {
	if flag.Lookup("test.run").Value.String() != "" {
		return nil
	}
	used, lacked, err := audit.Rights("bitcoin-operator")
	if err != nil {
		return err
	}
	given, err := rightsGiven(ctx, "team-a", "bitcoin-operator", "bitcoin-operator-secret")
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
	if len(lacked) > 0 {
		err = fmt.Errorf("the operator's Role lacks %v", slices.Collect(maps.Keys(lacked)))
	}
	if len(unused) > 0 {
		err = errors.Join(err, fmt.Errorf("the operator's Role has what no test makes use of: %v", unused))
	}
	if err == nil {
		fmt.Printf("the operator has made use of all of its %d rights, and asked for no other\n", len(given))
	}
	return err
}

// rightsGiven returns what Roles allow.
func rightsGiven(ctx context.Context, namespace string, roles ...string) (map[fleet.Right]bool, error) {
	given := map[fleet.Right]bool{}
	for _, name := range roles {
		var role rbacv1.Role
		if err := cluster.API.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, &role); err != nil {
			return nil, fmt.Errorf("read Role %s: %w", name, err)
		}
		for _, rule := range role.Rules {
			for _, verb := range rule.Verbs {
				for _, resource := range rule.Resources {
					given[fleet.Right{Verb: verb, Group: strings.Join(rule.APIGroups, ","), Resource: resource}] = true
				}
			}
		}
	}
	return given, nil
}

// Package tenants keeps the folders of teams in the fleet repository: what a team's folder
// says, what is wrong with it, and what goes and what stays when the team does. It reads
// and writes files of a working tree; commits are for whoever keeps the repository.
package tenants

import (
	"cmp"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
)

// Key is one of a team's values in tenant.yaml.
type Key struct {
	Name string
	// Says is what the value says.
	Says string
	// Required keys are in each tenant.yaml. Without another one the policies allow only
	// the default.
	Required bool
	// Usual is the value of a key that is not there, where that is not nothing.
	Usual string

	check func(value string) error
}

// Keys are all that there are. A policy of gitops/policies or tenants/base reads each.
var Keys = []Key{
	{"repository", "the path of the team's own repository, on the Git server of the cluster's values/cluster.yaml", true, "", repositoryPath},
	{"group", "the group of the team's people, as the cluster's authentication names it", true, "", something},
	{"secret", "the one Secret that the team's operator may read and its networks may use", true, "", secretName},
	{"secretFrom", "where that Secret comes from: sealed-secrets, sops or external-secrets (docs/secrets.md)", false, SealedSecrets, source},
	{"chains", "the chains that networks may follow, separated by commas", true, "", chains},
	{"frozen", `"true" freezes the team: its networks and SealedSecrets can no longer be changed, and its nodes run on`, true, "", yesOrNo},
	{"requireSecret", `"true": no network may use the publicly known default credentials`, false, "", yesOrNo},
	{"images", "image repositories that are allowed besides the platform's default image; with / at the end, everything below it", false, "", anything},
	{"imagePullSecrets", "Secrets for pulling images, which the platform puts into the namespace", false, "", anything},
	{"nodeLabels", "labels by which networks may choose machines: key=value, a key with any value, or * for all", false, "", anything},
	{"tolerations", "taints that networks may tolerate, by key, or * for all", false, "", anything},
	{"storageClasses", "storage classes that are allowed besides the default", false, "", anything},
	{"clientNamespaces", "namespaces whose pods networks may let in to RPC and ZMQ", false, "", anything},
	{"peerNamespaces", "namespaces whose pods networks may let in as peers: on regtest, the power to rewrite the chain", false, "", anything},
	{"resources", "resources that nodes may request besides cpu, memory and ephemeral-storage, such as devices", false, "", anything},
	{"podLabels", "labels with a prefix that nodes may have: a key, prefix/, or * for all", false, "", anything},
	{"maxNodes", "the most nodes that a network may have", false, "100", count},
	{"maxBlocks", "the most blocks that people may request at once", false, "1000", count},
	{"maxBlocksADay", "the most blocks that people may request per network and day", false, "10000", count},
	{"maxAmount", "the most coins, in BTC, that people may request at once", false, "100", amount},
	{"maxAmountADay", "the most coins, in BTC, that people may request per network and day", false, "1000", amount},
}

// Where a team's Secret comes from. Each but the first has a component of that name in
// the folder tenants.
const (
	SealedSecrets   = "sealed-secrets"
	SOPS            = "sops"
	ExternalSecrets = "external-secrets"
)

var sources = []string{SealedSecrets, SOPS, ExternalSecrets}

func keyOf(name string) (Key, bool) {
	i := slices.IndexFunc(Keys, func(key Key) bool { return key.Name == name })
	if i < 0 {
		return Key{}, false
	}
	return Keys[i], true
}

// Values are what a tenant.yaml says, by key.
type Values map[string]string

// Defaults are the values with which a team begins.
func Defaults(name string) Values {
	return Values{
		"repository": name + ".git", "group": name, "secret": "bitcoin-rpc", "frozen": "false",
		"chains": string(v1alpha1.Regtest), "requireSecret": "true",
	}
}

// Source is where the team's Secret comes from.
func (v Values) Source() string { return cmp.Or(v["secretFrom"], SealedSecrets) }

// Problems are what is wrong with values, by themselves.
func (v Values) Problems() []string {
	var problems []string
	for _, key := range Keys {
		value, said := v[key.Name]
		switch {
		case !said && key.Required:
			problems = append(problems, key.Name+": is missing")
		case !said:
		default:
			if err := key.check(value); err != nil {
				problems = append(problems, fmt.Sprintf("%s: %v", key.Name, err))
			}
		}
	}
	for name := range v {
		if _, known := keyOf(name); !known {
			problems = append(problems, name+": is not a known key: nothing reads it")
		}
	}
	slices.Sort(problems)
	return problems
}

func anything(string) error { return nil }

func something(value string) error {
	if strings.TrimSpace(value) == "" {
		return fmt.Errorf("is empty")
	}
	return nil
}

func repositoryPath(value string) error {
	if value == "" || path.IsAbs(value) || path.Clean(value) != value || strings.Contains(value, ":") || strings.HasPrefix(value, "..") {
		return fmt.Errorf("%q is not a path on the Git server, such as team.git", value)
	}
	return nil
}

func secretName(value string) error {
	if problems := validation.IsDNS1123Subdomain(value); len(problems) > 0 {
		return fmt.Errorf("%q: %s", value, problems[0])
	}
	if slices.Contains(platforms, value) {
		return fmt.Errorf("%q is a Secret of the platform's", value)
	}
	return nil
}

// platforms are the names of Secrets that the platform puts into teams' namespaces: what
// the repository is fetched with, and what its files are decrypted with.
var platforms = []string{"git", "sops-age"}

func source(value string) error {
	if !slices.Contains(sources, value) {
		return fmt.Errorf("%q is not one of %s", value, strings.Join(sources, ", "))
	}
	return nil
}

func chains(value string) error {
	known := []v1alpha1.Chain{v1alpha1.Regtest, v1alpha1.Signet, v1alpha1.Testnet4, v1alpha1.Main}
	for chain := range strings.SplitSeq(value, ",") {
		if !slices.Contains(known, v1alpha1.Chain(strings.TrimSpace(chain))) {
			return fmt.Errorf("%q is not a chain: use regtest, signet, testnet4 and main, separated by commas", chain)
		}
	}
	return nil
}

func yesOrNo(value string) error {
	if value != "true" && value != "false" {
		return fmt.Errorf(`%q is neither "true" nor "false"`, value)
	}
	return nil
}

func count(value string) error {
	if n, err := strconv.ParseInt(value, 10, 64); err != nil || n < 0 {
		return fmt.Errorf("%q is not a number", value)
	}
	return nil
}

var decimal = regexp.MustCompile(`^[0-9]+(\.[0-9]{1,8})?$`)

func amount(value string) error {
	if !decimal.MatchString(value) {
		return fmt.Errorf("%q is not an amount in BTC, such as 2.5", value)
	}
	return nil
}

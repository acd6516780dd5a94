// Package tenants keeps the folders of teams in the fleet repository: what a team's folder
// says, what is wrong with it, and what goes and what stays when the team does. It reads
// and writes files of a working tree; commits are for whoever keeps the repository.
package tenants

import (
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
	{"group", "the team's people, as the cluster's authentication calls them", true, "", something},
	{"secret", "the one Secret that the team's operator may read, and that its networks name", true, "", secretName},
	{"chains", "the chains that networks may follow, with commas", true, "", chains},
	{"frozen", `"true" freezes the team: nothing of its networks and SealedSecrets changes any more, and its nodes run on`, true, "", yesOrNo},
	{"requireSecret", `"true": no network with the credentials that everybody knows`, false, "", yesOrNo},
	{"images", "repositories of images, beside the platform's default image; with / at the end all that is below", false, "", anything},
	{"imagePullSecrets", "Secrets for pulling images, which the platform puts into the namespace", false, "", anything},
	{"nodeLabels", "labels by which networks may choose machines: key=value, a key with any value, or * for all", false, "", anything},
	{"tolerations", "taints that networks may tolerate, by key, or * for all", false, "", anything},
	{"storageClasses", "storage classes beside the default", false, "", anything},
	{"clientNamespaces", "namespaces whose pods networks may let in to RPC and ZMQ", false, "", anything},
	{"peerNamespaces", "namespaces whose pods networks may let in as peers: on regtest, the power to rewrite the chain", false, "", anything},
	{"resources", "what nodes may ask for beside cpu, memory and ephemeral-storage, as devices", false, "", anything},
	{"podLabels", "labels with a prefix that nodes may have: a key, prefix/, or * for all", false, "", anything},
	{"maxNodes", "the most nodes that a network may have", false, "100", count},
	{"maxBlocks", "the most blocks that people may ask for in one request", false, "1000", count},
	{"maxBlocksADay", "and of one network a day", false, "10000", count},
	{"maxAmount", "the most coins, in BTC, that people may ask for in one request", false, "100", amount},
	{"maxAmountADay", "and of one network a day", false, "1000", amount},
}

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
			problems = append(problems, name+": is no key that anything reads")
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
		return fmt.Errorf("%q is no path on the Git server, such as team.git", value)
	}
	return nil
}

func secretName(value string) error {
	if problems := validation.IsDNS1123Subdomain(value); len(problems) > 0 {
		return fmt.Errorf("%q: %s", value, problems[0])
	}
	return nil
}

func chains(value string) error {
	known := []v1alpha1.Chain{v1alpha1.Regtest, v1alpha1.Signet, v1alpha1.Testnet4, v1alpha1.Main}
	for chain := range strings.SplitSeq(value, ",") {
		if !slices.Contains(known, v1alpha1.Chain(strings.TrimSpace(chain))) {
			return fmt.Errorf("%q is no chain: there are regtest, signet, testnet4 and main, with commas between them", chain)
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
		return fmt.Errorf("%q is no number", value)
	}
	return nil
}

var decimal = regexp.MustCompile(`^[0-9]+(\.[0-9]{1,8})?$`)

func amount(value string) error {
	if !decimal.MatchString(value) {
		return fmt.Errorf("%q is no amount in BTC, such as 2.5", value)
	}
	return nil
}

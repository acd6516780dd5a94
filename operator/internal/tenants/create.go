package tenants

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"
	"sigs.k8s.io/yaml"
)

// Team is one that is to be added.
type Team struct {
	Name   string
	Values Values
	// Private teams have a repository that wants credentials, in a Secret `git`.
	Private bool
}

// ErrThere tells that a team is there.
var ErrThere = errors.New("already exists")

// Create returns what adds a team to clusters: a folder of its own, and a line in each
// cluster's list. It builds.
func (f *Fleet) Create(team Team, clusters []string) (Change, error) {
	if err := f.mayAdd(team, clusters); err != nil {
		return Change{}, err
	}
	values, err := team.valuesFile()
	if err != nil {
		return Change{}, err
	}
	change := Change{Writes: map[string]string{
		path.Join(folder, team.Name, kustomizationFile): team.kustomizationFile(),
		path.Join(folder, team.Name, valuesFile):        values,
	}}
	for _, cluster := range clusters {
		list, err := f.files.ReadFile("/" + registration(cluster))
		if err != nil {
			return Change{}, fmt.Errorf("read the fleet repository: %w", err)
		}
		edited, err := withTeam(string(list), team.Name)
		if err != nil {
			return Change{}, fmt.Errorf("edit %s: %w", registration(cluster), err)
		}
		change.Writes[registration(cluster)] = edited
	}
	return change, f.builds(change, team.Name, clusters)
}

// others' namespaces, which are no team's: its limits and rights would be put onto them.
var reserved = []string{"default", "flux-system", "flux-tenants", "sealing", "monitoring"}

func (f *Fleet) mayAdd(team Team, clusters []string) error {
	if problems := validation.IsDNS1123Label(team.Name); len(problems) > 0 {
		return fmt.Errorf("%q is not a valid name of a namespace: %s", team.Name, problems[0])
	}
	if slices.Contains(reserved, team.Name) || strings.HasPrefix(team.Name, "kube-") {
		return fmt.Errorf("namespace %s cannot be a team's", team.Name)
	}
	if f.files.Exists("/" + path.Join(folder, team.Name)) {
		return fmt.Errorf("folder %s %w", path.Join(folder, team.Name), ErrThere)
	}
	if problems := team.Values.Problems(); len(problems) > 0 {
		return errors.New(strings.Join(problems, "; "))
	}
	known, err := f.Clusters()
	if err != nil {
		return err
	}
	for _, cluster := range clusters {
		if !slices.Contains(known, cluster) {
			return fmt.Errorf("there is no cluster %s in %s; there are: %s", cluster, clustersFolder, strings.Join(known, ", "))
		}
	}
	shared, err := f.shared(team.Name, team.Values)
	if len(shared) > 0 {
		return errors.Join(err, errors.New(strings.Join(shared, "; ")))
	}
	return err
}

// shared says what a team would share with another one, which nothing then keeps apart.
func (f *Fleet) shared(team string, values Values) ([]string, error) {
	teams, err := f.Teams()
	if err != nil {
		return nil, err
	}
	var shared []string
	for _, other := range teams {
		if other == team {
			continue
		}
		others, err := f.values(other)
		if err != nil {
			return nil, err
		}
		if values["repository"] != "" && values["repository"] == others["repository"] {
			shared = append(shared, fmt.Sprintf("repository: %s is also that of %s: what one team commits would be applied for the other", values["repository"], other))
		}
		if values["group"] != "" && values["group"] == others["group"] {
			shared = append(shared, fmt.Sprintf("group: %s is also that of %s: its people would be in both namespaces", values["group"], other))
		}
	}
	return shared, nil
}

// kustomizationFile is all that a team's folder says beside its values: what every team
// has is in tenants/base.
func (t Team) kustomizationFile() string {
	text := `apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
namespace: ` + t.Name + `
resources:
  - ` + valuesFile + `
components:
  - ../base
`
	if t.Private {
		text += "  - ../private\n"
	}
	if source := t.Values.Source(); source != SealedSecrets {
		text += "  - " + componentOf(source) + "\n"
	}
	return text
}

// componentOf is what lets a team's Secret come from there, as its folder refers to it.
func componentOf(source string) string { return "../" + source }

func (t Team) valuesFile() (string, error) {
	text := `# The platform's settings for the team, in addition to those of tenants/base for every team. A
# key that is not here allows only the default: kubectl btcnet tenant create --help lists them.
apiVersion: v1
kind: ConfigMap
metadata:
  name: tenant
data:
`
	for _, key := range Keys {
		if value, said := t.Values[key.Name]; said {
			line, err := yaml.Marshal(map[string]string{key.Name: value})
			if err != nil {
				return "", fmt.Errorf("write %s: %w", key.Name, err)
			}
			text += "  " + strings.ReplaceAll(strings.TrimSuffix(string(line), "\n"), "\n", "\n  ") + "\n"
		}
	}
	return text, nil
}

// A team's line in a cluster's list.
const line = "  - ../../../../" + folder + "/"

// withTeam adds a team's line after those of the others, and leaves the rest as it is.
func withTeam(list, team string) (string, error) {
	lines := strings.Split(strings.Replace(list, "\nresources: []\n", "\nresources:\n", 1), "\n")
	if slices.Contains(lines, line+team) {
		return "", fmt.Errorf("%s %w", team, ErrThere)
	}
	last := slices.Index(lines, "resources:")
	for i, found := range lines {
		if strings.HasPrefix(found, line) {
			last = i
		}
	}
	if last < 0 {
		return "", fmt.Errorf("it has no resources to which %s could be added", team)
	}
	return strings.Join(slices.Insert(lines, last+1, line+team), "\n"), nil
}

// withoutTeam takes a team's line out.
func withoutTeam(list, team string) (string, error) {
	lines := strings.Split(list, "\n")
	i := slices.Index(lines, line+team)
	if i < 0 {
		return "", fmt.Errorf("it has no line %q", strings.TrimSpace(line+team))
	}
	lines = slices.Delete(lines, i, i+1)
	if top := slices.Index(lines, "resources:"); top >= 0 && (top+1 == len(lines) || !strings.HasPrefix(lines[top+1], "  - ")) {
		lines[top] = "resources: []"
	}
	return strings.Join(lines, "\n"), nil
}

package tenants

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// Finding is how a team's folder differs from what Create would write.
type Finding struct {
	// Wrong is what somebody has to mend; the rest is meant so, for all that is known.
	Wrong bool
	Text  string
}

// Check says how a team's folder differs from what Create would write, and what is wrong.
func (f *Fleet) Check(team string) ([]Finding, error) {
	if !f.files.Exists("/" + path.Join(folder, team, valuesFile)) {
		return nil, fmt.Errorf("there is no team %s: no file %s", team, path.Join(folder, team, valuesFile))
	}
	values, err := f.values(team)
	if err != nil {
		return nil, err
	}
	var found []Finding
	wrong := func(texts ...string) {
		for _, text := range texts {
			found = append(found, Finding{true, text})
		}
	}
	differs := func(format string, args ...any) {
		found = append(found, Finding{false, fmt.Sprintf(format, args...)})
	}

	for _, problem := range values.Problems() {
		wrong(valuesFile + ": " + problem)
	}
	shared, err := f.shared(team, values)
	if err != nil {
		return nil, err
	}
	wrong(shared...)
	for _, text := range values.differences(team) {
		differs("%s: %s", valuesFile, text)
	}
	if err := f.checkKustomization(team, values.Source(), wrong, differs); err != nil {
		return nil, err
	}
	return found, f.checkClusters(team, wrong, differs)
}

// differences says which values are others than those that a team begins with.
func (v Values) differences(team string) []string {
	var texts []string
	begins := Defaults(team)
	for _, key := range Keys {
		value, said := v[key.Name]
		first := begins[key.Name]
		switch {
		case value == first, first == "" && value == key.Usual:
		case !said && !key.Required:
			texts = append(texts, fmt.Sprintf("%s is unset, not %q", key.Name, first))
		case said && first != "":
			texts = append(texts, fmt.Sprintf("%s is %s, not %s", key.Name, inline(value), inline(first)))
		case said:
			texts = append(texts, fmt.Sprintf("%s is %s", key.Name, inline(value)))
		}
	}
	return texts
}

func inline(value string) string { return strings.Join(strings.Fields(value), " ") }

// checkKustomization looks at the team's kustomization file, and at what else is in its
// folder. source is where its Secret comes from.
func (f *Fleet) checkKustomization(team, source string, wrong func(...string), differs func(string, ...any)) error {
	own := path.Join(folder, team, kustomizationFile)
	found, err := f.kustomization(own)
	if err != nil {
		return err
	}
	if found.Namespace != team {
		wrong(fmt.Sprintf("%s: namespace is %s: it must be the name of the folder, which is the team's name", kustomizationFile, found.Namespace))
	}
	if !slices.Contains(found.Components, "../base") {
		wrong(kustomizationFile + ": component ../base is missing: without it the team has no limits")
	}
	wrong(sourceProblems(found.Components, source)...)
	used := append(slices.Clone(found.Resources), found.Components...)
	for _, name := range used {
		if name != valuesFile && name != "../base" && name != componentOf(source) {
			differs("%s: also has %s", kustomizationFile, name)
		}
	}
	for _, patch := range found.Patches {
		used = append(used, patch.Path)
		target := "what it names"
		if patch.Target != nil {
			target = strings.TrimSpace(patch.Target.Kind + " " + patch.Target.Name)
		}
		differs("%s: patches %s", kustomizationFile, target)
	}
	return f.files.Walk("/"+path.Join(folder, team), func(name string, info fs.FileInfo, err error) error {
		inFolder := strings.TrimPrefix(name, "/"+path.Join(folder, team)+"/")
		if err != nil || info.IsDir() || inFolder == kustomizationFile || inFolder == valuesFile {
			return err
		}
		if !slices.ContainsFunc(used, func(path string) bool { return path == inFolder || strings.HasPrefix(inFolder, path+"/") && path != "" }) {
			differs("%s is in no list of %s: nothing reads it", inFolder, kustomizationFile)
		}
		return nil
	})
}

// sourceProblems says where the components of a team's folder and its secretFrom differ:
// the policies go by the one, the team's rights by the other.
func sourceProblems(components []string, source string) []string {
	var problems []string
	for _, known := range []string{SOPS, ExternalSecrets} {
		component := componentOf(known)
		switch has := slices.Contains(components, component); {
		case has && known != source:
			problems = append(problems, fmt.Sprintf("%s: has component %s, but secretFrom in %s is %s", kustomizationFile, component, valuesFile, source))
		case !has && known == source:
			problems = append(problems, fmt.Sprintf("%s: component %s is missing, which secretFrom: %s in %s needs", kustomizationFile, component, source, valuesFile))
		}
	}
	return problems
}

// checkClusters looks at whether the team is in a cluster, and builds there.
func (f *Fleet) checkClusters(team string, wrong func(...string), differs func(string, ...any)) error {
	in, err := f.In(team)
	if err != nil {
		return err
	}
	if len(in) == 0 {
		differs("no cluster in %s lists it", clustersFolder)
	}
	for _, cluster := range in {
		if _, err := f.build(cluster); err != nil {
			wrong(err.Error())
		}
	}
	return nil
}

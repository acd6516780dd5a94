package tenants

import (
	"fmt"
	"path"
)

// Remove returns what takes a team out of the clusters that it is in, and its folder with
// it.
func (f *Fleet) Remove(team string) (Change, error) {
	if !f.files.Exists("/" + path.Join(folder, team, valuesFile)) {
		return Change{}, fmt.Errorf("there is no team %s: no file %s", team, path.Join(folder, team, valuesFile))
	}
	in, err := f.In(team)
	if err != nil {
		return Change{}, err
	}
	change := Change{Writes: map[string]string{}, Removes: []string{path.Join(folder, team)}}
	for _, cluster := range in {
		list, err := f.files.ReadFile("/" + registration(cluster))
		if err != nil {
			return Change{}, fmt.Errorf("read the fleet repository: %w", err)
		}
		edited, err := withoutTeam(string(list), team)
		if err != nil {
			return Change{}, fmt.Errorf("edit %s: %w", registration(cluster), err)
		}
		change.Writes[registration(cluster)] = edited
	}
	return change, nil
}

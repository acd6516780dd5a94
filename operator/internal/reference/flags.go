package main

import (
	"fmt"
	"os/exec"
	"regexp"
)

// A flag is one of the operator.
type flag struct{ name, kind, usage string }

// ofUsage is a line of what pflag prints of a flag.
var ofUsage = regexp.MustCompile(`(?m)^\s+(?:-\w, )?--([a-z-]+)(?: (\S+))?\s{2,}(.*)$`)

// flagsOf returns the operator's flags, by what it prints of them.
func flagsOf(root string) ([]flag, error) {
	help := exec.Command("go", "run", "./operator/cmd/operator", "--help")
	help.Dir = root
	text, err := help.CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("ask the operator for its flags: %w: %s", err, text)
	}
	var flags []flag
	for _, line := range ofUsage.FindAllStringSubmatch(string(text), -1) {
		flags = append(flags, flag{line[1], line[2], line[3]})
	}
	if len(flags) == 0 {
		return nil, fmt.Errorf("the operator says nothing of its flags: %s", text)
	}
	return flags, nil
}

func flagTable(flags []flag) string {
	var rows [][]string
	for _, flag := range flags {
		rows = append(rows, []string{"`--" + flag.name + "`", flag.kind, inCell(flag.usage)})
	}
	return table([]string{"flag", "type", "meaning"}, rows)
}

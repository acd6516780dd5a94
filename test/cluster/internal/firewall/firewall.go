// Package firewall removes what kube-router leaves on this machine when it ends, which is
// all that it has set: a chain for each pod and policy, and a set for each of its
// selectors. Its own clean-up panics. Others' rules, which may be in the same table, stay.
package firewall

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"time"

	"github.com/bitcoin-operator/bitcoin-operator/test/cluster/internal/wait"
)

// chainPrefixes and setPrefixes are of the names of kube-router's chains and sets. It lets
// nobody choose them.
var (
	chainPrefixes = []string{"KUBE-ROUTER-", "KUBE-NWPLCY-", "KUBE-POD-FW-"}
	setPrefixes   = []string{"KUBE-SRC-", "KUBE-DST-"}
)

// There tells whether the nftables table is there in which iptables keeps its rules.
func There(ctx context.Context) (bool, error) {
	out, err := run(ctx, "", "nft", "list", "tables")
	if err != nil {
		return false, fmt.Errorf("list nftables tables: %w", err)
	}
	return slices.Contains(strings.Split(out, "\n"), "table ip filter"), nil
}

// Rules tells whether a kube-router has set rules that are still there.
func Rules(ctx context.Context) (bool, error) {
	saved, err := save(ctx)
	return removal(saved) != "", err
}

// Remove removes kube-router's rules and sets, and, if asked to, iptables' table as well
// unless something else is in it. No kube-router may be running, which would set them
// again.
func Remove(ctx context.Context, table bool) error {
	saved, err := save(ctx)
	if err != nil {
		return err
	}
	if script := removal(saved); script != "" {
		if _, err := run(ctx, script, "iptables-restore", "--noflush", "--table=filter"); err != nil {
			return fmt.Errorf("remove the rules of network policies: %w", err)
		}
	}
	// The kernel frees what rules have used a moment after the rules.
	err = wait.Until(ctx, "the sets of network policies", 10*time.Second, nil, removeSets)
	if err != nil || !table {
		return err
	}
	return removeTable(ctx)
}

// save returns iptables' rules.
func save(ctx context.Context) (string, error) {
	if !installed("iptables-save") {
		return "", nil // and so they cannot have been set
	}
	saved, err := run(ctx, "", "iptables-save", "--table", "filter")
	if err != nil {
		return "", fmt.Errorf("read iptables' rules: %w", err)
	}
	return saved, nil
}

func removeSets(ctx context.Context) error {
	if !installed("ipset") {
		return nil
	}
	listed, err := run(ctx, "", "ipset", "list", "-name")
	if err != nil {
		return fmt.Errorf("list the machine's IP sets: %w", err)
	}
	var script strings.Builder
	for _, name := range sets(listed) {
		fmt.Fprintf(&script, "destroy %s\n", name)
	}
	if script.Len() == 0 {
		return nil
	}
	if _, err := run(ctx, script.String(), "ipset", "restore"); err != nil {
		return fmt.Errorf("remove the sets of network policies: %w", err)
	}
	return nil
}

func removeTable(ctx context.Context) error {
	there, err := There(ctx)
	if err != nil || !there {
		return err
	}
	listed, err := run(ctx, "", "nft", "--json", "list", "table", "ip", "filter")
	if err != nil {
		return fmt.Errorf("read the nftables table of iptables: %w", err)
	}
	if bare, err := bare([]byte(listed)); err != nil || !bare {
		return err
	}
	if _, err := run(ctx, "", "nft", "delete", "table", "ip", "filter"); err != nil {
		return fmt.Errorf("remove the nftables table of iptables: %w", err)
	}
	return nil
}

// removal returns what iptables-restore has to be told to remove kube-router's chains, and
// others' jumps to them, from what iptables-save prints; nothing where there is none.
func removal(saved string) string {
	var jumps, flushes, deletions strings.Builder
	for line := range strings.Lines(saved) {
		line = strings.TrimSpace(line)
		f := strings.Fields(line)
		switch {
		case strings.HasPrefix(line, ":") && ours(f[0][1:]):
			fmt.Fprintf(&flushes, "-F %s\n", f[0][1:])
			fmt.Fprintf(&deletions, "-X %s\n", f[0][1:])
		case len(f) >= 4 && f[0] == "-A" && !ours(f[1]) && f[len(f)-2] == "-j" && ours(f[len(f)-1]):
			fmt.Fprintf(&jumps, "-D %s\n", strings.TrimPrefix(line, "-A "))
		}
	}
	if deletions.Len() == 0 {
		return ""
	}
	return "*filter\n" + jumps.String() + flushes.String() + deletions.String() + "COMMIT\n"
}

func ours(chain string) bool { return begins(chain, chainPrefixes) }

// sets picks kube-router's from the names of IP sets.
func sets(listed string) []string {
	return slices.DeleteFunc(strings.Fields(listed), func(name string) bool { return !begins(name, setPrefixes) })
}

func begins(name string, prefixes []string) bool {
	return slices.ContainsFunc(prefixes, func(prefix string) bool { return strings.HasPrefix(name, prefix) })
}

// bare tells of a table, as nft lists it in JSON, that it is as iptables makes it: with its
// three chains or some of them, which let everything pass, and nothing in them.
func bare(listed []byte) (bool, error) {
	var read struct {
		NFTables []map[string]json.RawMessage `json:"nftables"`
	}
	if err := json.Unmarshal(listed, &read); err != nil {
		return false, fmt.Errorf("read what nft lists: %w", err)
	}
	for _, object := range read.NFTables {
		for kind, content := range object {
			var chain struct{ Name, Policy string }
			switch kind {
			case "metainfo", "table":
				continue
			case "chain":
				if err := json.Unmarshal(content, &chain); err != nil {
					return false, fmt.Errorf("read what nft lists: %w", err)
				}
				if slices.Contains([]string{"INPUT", "FORWARD", "OUTPUT"}, chain.Name) && chain.Policy == "accept" {
					continue
				}
			}
			return false, nil
		}
	}
	return true, nil
}

func installed(program string) bool {
	_, err := exec.LookPath(program)
	return !errors.Is(err, exec.ErrNotFound)
}

// run runs a command on what it reads, and returns what it prints.
func run(ctx context.Context, stdin, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, bytes.TrimSpace(stderr.Bytes()))
	}
	return stdout.String(), nil
}

package machine

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// Packages are Debian's that the cluster is made of or built with.
var Packages = []string{
	"runc", "containernetworking-plugins", "nftables", "iptables", "ipset", "iproute2", "git",
	"buildah", "mmdebstrap", "debian-archive-keyring", "ca-certificates",
}

// MissingPackages lists those that are not installed.
func MissingPackages(ctx context.Context) []string {
	// It fails if it does not know one of them, but still lists the others.
	out, _ := exec.CommandContext(ctx, "dpkg-query", append([]string{"--show", "--showformat=${db:Status-Status} ${Package}\n"}, Packages...)...).Output()
	return missing(Packages, string(out))
}

func missing(packages []string, listed string) []string {
	installed := map[string]bool{}
	for line := range strings.Lines(listed) {
		if name, ok := strings.CutPrefix(strings.TrimSpace(line), "installed "); ok {
			installed[name] = true
		}
	}
	var lacking []string
	for _, name := range packages {
		if !installed[name] {
			lacking = append(lacking, name)
		}
	}
	return lacking
}

// Install installs packages. The lists of what there is are fetched only when
// the machine's are missing or too old to install from.
func Install(ctx context.Context, packages []string, log string) error {
	out, err := os.Create(log)
	if err != nil {
		return err
	}
	defer out.Close()
	apt := func(args ...string) error {
		cmd := exec.CommandContext(ctx, "apt-get", append([]string{"--yes", "--quiet", "-o", "DPkg::Lock::Timeout=120"}, args...)...)
		cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
		cmd.Stdout, cmd.Stderr = out, out
		return cmd.Run()
	}
	install := append([]string{"install", "--no-install-recommends"}, packages...)
	if apt(install...) == nil {
		return nil
	}
	if err := apt("update"); err != nil {
		return fmt.Errorf("apt-get update: %w (see %s)", err, log)
	}
	if err := apt(install...); err != nil {
		return fmt.Errorf("apt-get install %s: %w (see %s)", strings.Join(packages, " "), err, log)
	}
	return nil
}

// Mirror is the Debian mirror that this machine installs its own packages from.
func Mirror() (string, error) {
	release, err := os.ReadFile("/etc/os-release")
	if err != nil {
		return "", err
	}
	var sources []string
	for _, pattern := range []string{"/etc/apt/sources.list.d/*.sources", "/etc/apt/sources.list", "/etc/apt/sources.list.d/*.list"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			return "", err
		}
		for _, file := range files {
			data, err := os.ReadFile(file)
			if err != nil {
				continue // named in sources.list, but not there
			}
			sources = append(sources, string(data))
		}
	}
	uri := mirror(sources, codename(string(release)))
	if list, ok := strings.CutPrefix(uri, "mirror+file:"); ok { // as in Debian's cloud images
		data, err := os.ReadFile(list)
		if err != nil {
			return "", err
		}
		first, _, _ := bytes.Cut(bytes.TrimSpace(data), []byte("\n"))
		if f := strings.Fields(string(first)); len(f) > 0 {
			uri = f[0]
		}
	}
	if uri == "" {
		return "", fmt.Errorf("apt's sources name no mirror of Debian's %q", codename(string(release)))
	}
	return uri, nil
}

// codename reads an os-release.
func codename(release string) string {
	for line := range strings.Lines(release) {
		if value, ok := strings.CutPrefix(strings.TrimSpace(line), "VERSION_CODENAME="); ok {
			return strings.Trim(value, `"'`)
		}
	}
	return ""
}

// mirror finds where apt's sources, in either of their formats, get a suite from.
func mirror(sources []string, suite string) string {
	for _, source := range sources {
		for stanza := range strings.SplitSeq(source, "\n\n") {
			fields := map[string][]string{}
			for line := range strings.Lines(stanza) {
				line = strings.TrimSpace(line)
				if uri := oneLine(line, suite); uri != "" {
					return uri
				}
				if key, value, ok := strings.Cut(line, ":"); ok && !strings.HasPrefix(line, "#") {
					fields[strings.ToLower(key)] = strings.Fields(value)
				}
			}
			if slices.Contains(fields["types"], "deb") && slices.Contains(fields["suites"], suite) && len(fields["uris"]) > 0 {
				return fields["uris"][0]
			}
		}
	}
	return ""
}

// oneLine reads a line such as `deb [signed-by=…] http://… bookworm main`.
func oneLine(line, suite string) string {
	rest, ok := strings.CutPrefix(line, "deb ")
	if !ok {
		return ""
	}
	if rest = strings.TrimSpace(rest); strings.HasPrefix(rest, "[") {
		if _, rest, ok = strings.Cut(rest, "]"); !ok {
			return ""
		}
	}
	if f := strings.Fields(rest); len(f) >= 2 && f[1] == suite {
		return f[0]
	}
	return ""
}

package parts

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/bitcoin-operator/bitcoin-operator/test/cluster/internal/clone"
)

// fingerprint is of all that decides what a part's files will be.
func fingerprint(c clone.Clone, p Part, goVersion string) (string, error) {
	h := sha256.New()
	fmt.Fprintln(h, goVersion, GoEnv, p.Name, p.Programs, p.Pins)
	if p.Image != nil {
		fmt.Fprintln(h, *p.Image)
	}
	used := map[string]bool{}
	for _, program := range p.Programs {
		used[program.Module] = true
		if strings.HasPrefix(program.Package, "./") {
			if err := hashTree(h, c.Source("test/cluster", program.Module, program.Package)); err != nil {
				return "", err
			}
		}
	}
	if p.Make != nil && len(p.Pins) == 0 {
		used[unified] = true
	}
	for _, module := range modules {
		if !used[module] {
			continue
		}
		for _, name := range []string{"go.mod", "go.sum"} {
			if err := hashTree(h, c.Source("test/cluster", module, name)); err != nil {
				return "", err
			}
		}
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// hashTree adds a file, or all files of a folder with their names.
func hashTree(w io.Writer, root string) error {
	return filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(w, "%s %x\n", name, sha256.Sum256(data))
		return err
	})
}

// stamp is the file with the fingerprint of what was made.
func stamp(c clone.Clone, p Part) string { return c.Local("build", p.Name) }

// complete reports whether everything that a part leaves is there.
func complete(c clone.Clone, p Part) bool {
	var files []string
	for _, program := range p.Programs {
		files = append(files, c.Bin(program.Name))
		for _, link := range program.Links {
			files = append(files, c.Bin(link))
		}
	}
	if p.Image != nil {
		files = append(files, c.Image(p.Name))
	}
	for _, name := range p.Outputs {
		files = append(files, c.Local(name))
	}
	for _, file := range files {
		if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
			return false
		}
	}
	return true
}

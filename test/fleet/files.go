package fleet

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// sourceFiles lists what the working tree has in these folders, as Git sees it:
// also what is not committed, not what is ignored.
func (c *Cluster) sourceFiles(ctx context.Context, folders ...string) ([]string, error) {
	args := append([]string{"ls-files", "-z", "--cached", "--others", "--exclude-standard", "--"}, folders...)
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Dir = c.root
	cmd.Env = environment()
	listed, err := output(ctx, cmd)
	if err != nil {
		return nil, err
	}
	return existing(c.root, strings.Split(listed, "\x00"))
}

// existing returns those that are files and are there, each once: Git lists also
// what was deleted and not committed, and a file in conflict several times.
func existing(root string, listed []string) ([]string, error) {
	slices.Sort(listed)
	var files []string
	for _, file := range slices.Compact(listed) {
		info, err := os.Lstat(filepath.Join(root, file))
		if errors.Is(err, fs.ErrNotExist) || err == nil && info.IsDir() {
			continue
		}
		if err != nil {
			return nil, err
		}
		files = append(files, file)
	}
	return files, nil
}

// copyFile copies a file of text, passed through edit, and makes the folders
// that it goes to.
func copyFile(from, to string, edit func(string) string) error {
	content, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	return os.WriteFile(to, []byte(edit(string(content))), 0o644)
}

// copyFolder copies the files of a folder, also of those in it.
func copyFolder(from, to string, edit func(string) string) error {
	return fs.WalkDir(os.DirFS(from), ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		return copyFile(filepath.Join(from, path), filepath.Join(to, path), edit)
	})
}

func unchanged(content string) string { return content }

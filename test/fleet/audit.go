package fleet

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// An Audit reads what the API server notes, from when it was begun.
type Audit struct {
	file string
	from int64
}

// Audit begins to read what service accounts ask of the API server.
func (c *Cluster) Audit() (*Audit, error) {
	audit := &Audit{file: filepath.Join(c.Logs(), "audit.log")}
	info, err := os.Stat(audit.file)
	if err != nil {
		return nil, err
	}
	audit.from = info.Size()
	return audit, nil
}

// Writes returns what a service account has written to objects whose names begin
// like this, as "verb resource/name".
func (a *Audit) Writes(account, name string) ([]string, error) {
	file, err := os.Open(a.file)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	if _, err := file.Seek(a.from, io.SeekStart); err != nil {
		return nil, err
	}
	return writes(file, account, name)
}

// note is a line of the log.
type note struct {
	Verb string
	User struct{ Username string }
	Ref  struct{ Resource, Subresource, Name string } `json:"objectRef"`
}

func writes(log io.Reader, account, name string) ([]string, error) {
	var found []string
	lines := bufio.NewReader(log)
	for {
		line, err := lines.ReadBytes('\n')
		if err == io.EOF {
			return found, nil // a line without an end is still being written
		}
		if err != nil {
			return nil, err
		}
		var noted note
		if err := json.Unmarshal(line, &noted); err != nil {
			return nil, fmt.Errorf("read the audit log: %w", err)
		}
		if noted.User.Username != account || slices.Contains([]string{"get", "list", "watch"}, noted.Verb) || !strings.HasPrefix(noted.Ref.Name, name) {
			continue
		}
		resource := noted.Ref.Resource
		if noted.Ref.Subresource != "" {
			resource += "/" + noted.Ref.Subresource
		}
		found = append(found, fmt.Sprintf("%s %s %s", noted.Verb, resource, noted.Ref.Name))
	}
}

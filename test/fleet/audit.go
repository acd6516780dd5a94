package fleet

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
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
func (a *Audit) Writes(account, name string) (found []string, err error) {
	err = a.read(func(log io.Reader) error {
		found, err = writes(log, account, name)
		return err
	})
	return found, err
}

func writes(log io.Reader, account, name string) ([]string, error) {
	var found []string
	err := eachNote(log, func(noted note) {
		if noted.User.Username != account || slices.Contains([]string{"get", "list", "watch"}, noted.Verb) || !strings.HasPrefix(noted.Ref.Name, name) {
			return
		}
		found = append(found, fmt.Sprintf("%s %s %s", noted.Verb, noted.Ref.resource(), noted.Ref.Name))
	})
	return found, err
}

// A Right is one that an account can have: to do something with a resource, as
// "resource/subresource", of a group.
type Right struct {
	Verb, Group, Resource string
}

// Rights returns the rights that the accounts of one name, in whatever namespaces,
// have made use of, and those that they lacked.
func (a *Audit) Rights(account string) (used, lacked map[Right]bool, err error) {
	err = a.read(func(log io.Reader) error {
		used, lacked, err = rights(log, account)
		return err
	})
	return used, lacked, err
}

func rights(log io.Reader, account string) (used, lacked map[Right]bool, err error) {
	used, lacked = map[Right]bool{}, map[Right]bool{}
	err = eachNote(log, func(noted note) {
		if !noted.by(account) || noted.Ref.Resource == "" {
			return
		}
		if noted.ImpersonatedUser.Username != "" {
			used[Right{"impersonate", "", "serviceaccounts"}] = true
			return
		}
		right := Right{noted.Verb, noted.Ref.APIGroup, noted.Ref.resource()}
		if noted.Annotations["authorization.k8s.io/decision"] == "forbid" {
			lacked[right] = true
			return
		}
		used[right] = true
		switch {
		case noted.Verb == "watch" && strings.Contains(noted.RequestURI, "sendInitialEvents=true"):
			right.Verb = "list" // what is there comes as a stream, where the API server can
			used[right] = true
		case noted.Verb == "patch" && noted.ResponseStatus.Code == http.StatusCreated:
			right.Verb = "create" // by an apply, for which the API server wants both rights
			used[right] = true
		}
	})
	return used, lacked, err
}

// note is a line of the log.
type note struct {
	Verb             string
	RequestURI       string
	UserAgent        string
	User             struct{ Username string }
	ImpersonatedUser struct{ Username string }
	Ref              reference `json:"objectRef"`
	ResponseStatus   struct{ Code int }
	Annotations      map[string]string
}

// by tells whether one of the accounts of that name has asked, and not somebody with a
// token of it, as tests have.
func (n note) by(account string) bool {
	return strings.HasPrefix(n.User.Username, "system:serviceaccount:") && strings.HasSuffix(n.User.Username, ":"+account) &&
		!strings.HasPrefix(n.UserAgent, "kubectl/") && !strings.HasPrefix(n.UserAgent, "e2e.test/")
}

type reference struct{ APIGroup, Resource, Subresource, Name string }

func (r reference) resource() string {
	if r.Subresource != "" {
		return r.Resource + "/" + r.Subresource
	}
	return r.Resource
}

// read has what was noted since the audit began be read.
func (a *Audit) read(by func(log io.Reader) error) error {
	file, err := os.Open(a.file)
	if err != nil {
		return err
	}
	defer file.Close()
	if _, err := file.Seek(a.from, io.SeekStart); err != nil {
		return err
	}
	return by(file)
}

func eachNote(log io.Reader, see func(note)) error {
	lines := bufio.NewReader(log)
	for {
		line, err := lines.ReadBytes('\n')
		if err == io.EOF {
			return nil // a line without an end is still being written
		}
		if err != nil {
			return err
		}
		var noted note
		if err := json.Unmarshal(line, &noted); err != nil {
			return fmt.Errorf("read the audit log: %w", err)
		}
		see(noted)
	}
}

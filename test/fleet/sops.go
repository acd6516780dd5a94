package fleet

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// SOPS encrypts Secrets for a team's key, as docs/secrets.md says.
type SOPS struct {
	// Key is what age-keygen makes: the platform puts it into the team's namespace.
	Key string

	bin, recipient string
}

// SOPS builds SOPS and age-keygen, of test/sops, and makes a key.
func (c *Cluster) SOPS(ctx context.Context) (*SOPS, error) {
	s := &SOPS{bin: c.local("work", "sops")}
	if err := os.MkdirAll(s.bin, 0o755); err != nil {
		return nil, err
	}
	build := exec.CommandContext(ctx, "go", "build", "-o", s.bin+"/", "tool")
	build.Dir = c.source("test", "sops")
	_, err := output(ctx, build)
	if err == nil {
		s.Key, err = s.run(ctx, s.bin, "", "age-keygen")
	}
	if err == nil {
		s.recipient, err = s.run(ctx, s.bin, s.Key, "age-keygen", "-y")
	}
	if err != nil {
		return nil, fmt.Errorf("make a key for SOPS: %w", err)
	}
	return s, nil
}

func (s *SOPS) run(ctx context.Context, in, stdin, program string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, filepath.Join(s.bin, program), args...)
	cmd.Dir, cmd.Env, cmd.Stdin = in, environment(), strings.NewReader(stdin)
	printed, err := output(ctx, cmd)
	return strings.TrimSpace(printed), err
}

// Encrypt puts these credentials, encrypted, into the team's clone. What is said beside
// them is in the file as it is.
func (t *Team) Encrypt(ctx context.Context, sops *SOPS, data map[string]string, also ...func(*corev1.Secret)) error {
	secret := &corev1.Secret{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Secret"},
		ObjectMeta: metav1.ObjectMeta{Name: secretName},
		StringData: data,
	}
	for _, say := range also {
		say(secret)
	}
	plain, err := json.Marshal(secret) // which is YAML, too
	if err != nil {
		return err
	}
	rules := "creation_rules:\n  - path_regex: bitcoin-rpc\\.yaml$\n    encrypted_regex: ^(data|stringData)$\n    age: " + sops.recipient + "\n"
	if err := errors.Join(os.WriteFile(t.Path(".sops.yaml"), []byte(rules), 0o644), os.WriteFile(t.Path(sealedFile), plain, 0o600)); err != nil {
		return err
	}
	if _, err := sops.run(ctx, t.Dir, "", "sops", "encrypt", "--in-place", sealedFile); err != nil {
		return fmt.Errorf("encrypt the credentials of %s: %w", t.Name, err)
	}
	return nil
}

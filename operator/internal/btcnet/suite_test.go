package btcnet

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	"sigs.k8s.io/yaml"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/test/policies"
)

// admin is a client of a real API server, with the policies, and kubeconfig the file with
// which the command speaks to that. They are empty with -short.
var (
	admin      client.WithWatch
	kubeconfig string
)

func TestMain(m *testing.M) {
	flag.Parse()
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func run(m *testing.M) (code int, err error) {
	if testing.Short() {
		return m.Run(), nil
	}
	scheme := runtime.NewScheme()
	if err := errors.Join(clientgoscheme.AddToScheme(scheme), v1alpha1.AddToScheme(scheme)); err != nil {
		return 0, err
	}
	environment, err := policies.Serve(context.Background(), "../../..", scheme)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, environment.Stop()) }()
	if admin, err = client.NewWithWatch(environment.Config, client.Options{Scheme: scheme}); err != nil {
		return 0, err
	}
	user, err := environment.AddUser(envtest.User{Name: "admin", Groups: []string{"system:masters"}}, nil)
	if err != nil {
		return 0, err
	}
	content, err := user.KubeConfig()
	if err != nil {
		return 0, err
	}
	folder, err := os.MkdirTemp("", "btcnet")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(folder)
	kubeconfig = filepath.Join(folder, "kubeconfig")
	if err := os.WriteFile(kubeconfig, content, 0o600); err != nil {
		return 0, err
	}
	return m.Run(), nil
}

// team is a tenant on the API server, whose people have the Role `people`.
type team struct {
	Gomega
	ctx       context.Context
	namespace string
}

func newTeam(t *testing.T) *team {
	t.Helper()
	if admin == nil {
		t.Skip("needs an API server, which -short leaves out")
	}
	team := &team{Gomega: NewWithT(t), ctx: t.Context()}
	var err error
	team.namespace, err = policies.Tenant(team.ctx, admin, map[string]string{
		"secret": "bitcoin-rpc", "chains": "regtest", "group": "people-of-it", "image": "example.com/bitcoind:1", "maxNodes": "10",
	})
	team.Expect(err).NotTo(HaveOccurred())
	content, err := os.ReadFile("../../../tenants/base/people.yaml")
	team.Expect(err).NotTo(HaveOccurred())
	role, binding, found := bytes.Cut(content, []byte("\n---\n"))
	team.Expect(found).To(BeTrue())
	people, bound := &rbacv1.Role{}, &rbacv1.RoleBinding{}
	team.Expect(yaml.UnmarshalStrict(role, people)).To(Succeed())
	team.Expect(yaml.UnmarshalStrict(binding, bound)).To(Succeed())
	people.Namespace, bound.Namespace = team.namespace, team.namespace
	bound.Subjects[0].Name = "people-of-it"
	team.Expect(admin.Create(team.ctx, people)).To(Succeed())
	team.Expect(admin.Create(team.ctx, bound)).To(Succeed())
	return team
}

// outcome is what came of a command.
type outcome struct {
	code        int
	out, errOut string
}

// runs runs the command as a person of the team.
func (team *team) runs(args ...string) outcome {
	return team.runsAs([]string{"--as=somebody@example.com", "--as-group=people-of-it"}, args...)
}

// runsAs runs the command as who these flags say.
func (team *team) runsAs(as []string, args ...string) outcome {
	var in, out, errOut bytes.Buffer
	args = append(args, append(as, "--kubeconfig="+kubeconfig, "--namespace="+team.namespace)...)
	code := Run(team.ctx, args, genericiooptions.IOStreams{In: &in, Out: &out, ErrOut: &errOut})
	return outcome{code, out.String(), errOut.String()}
}

// told is all that a command has printed.
func (o outcome) told() string { return strings.Join([]string{o.out, o.errOut}, "\n") }

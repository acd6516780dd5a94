package btcnet

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/bitcoind"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/seal"
)

func newCredentials(cluster cluster, streams genericiooptions.IOStreams) *cobra.Command {
	command := &cobra.Command{Use: "credentials", Short: "Seal the credentials of networks, and change them"}
	command.AddCommand(newSeal(cluster, streams))
	return command
}

// sealing is what the flags of credentials seal say.
type sealing struct {
	cluster cluster
	genericiooptions.IOStreams

	file, certificate, secret, user, username, also string
	fromStdin, rotate, finish, replace              bool
}

func newSeal(cluster cluster, streams genericiooptions.IOStreams) *cobra.Command {
	s := &sealing{cluster: cluster, IOStreams: streams}
	command := &cobra.Command{
		Use:   "seal",
		Short: "Seal credentials, and change them without an outage",
		Long: `Seal credentials as a SealedSecret, which only the cluster can open, and only in
the namespace and under the name that it is sealed for.

The password is random, or read from standard input. It appears in no argument
and in no file, and nobody sees it. Without -f the SealedSecret is printed. What
--also seals for an application is always printed: it is for another namespace,
and so for another file.`,
		Example: `  # A user and a password for the networks of team-a.
  kubectl btcnet credentials seal -n team-a -f bitcoin-rpc.yaml

  # A user who may do less, and a copy of its password for an application.
  kubectl btcnet credentials seal -f bitcoin-rpc.yaml --user shop --also shop/bitcoin >shop.yaml

  # Change a password: nodes accept both, until it is finished.
  kubectl btcnet credentials seal -f bitcoin-rpc.yaml --rotate
  kubectl btcnet credentials seal -f bitcoin-rpc.yaml --finish

  # Change one that has leaked, at once.
  kubectl btcnet credentials seal -f bitcoin-rpc.yaml --replace

  # A password that you have, without access to the cluster.
  pass show bitcoin | kubectl btcnet credentials seal -n team-a --cert cluster.pem --password-stdin`,
		Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error { return s.run(command.Context()) },
	}
	flags := command.Flags()
	flags.StringVarP(&s.file, "file", "f", "", "the file with the SealedSecret, to create or change")
	flags.StringVar(&s.certificate, "cert", "", "a file with the certificate to seal with, instead of the one that the cluster publishes")
	flags.StringVar(&s.secret, "secret", "bitcoin-rpc", "the name of the Secret")
	flags.StringVar(&s.user, "user", "", "seal the password of this user of spec.users, instead of the user who may do everything")
	flags.StringVar(&s.username, "username", "", "the value of BC_RPC_USER; by default it stays as it is, or is the namespace if there is none yet")
	flags.StringVar(&s.also, "also", "", "print a SealedSecret NAMESPACE/SECRET for an application, with the same user and password")
	flags.BoolVar(&s.fromStdin, "password-stdin", false, "read the password from standard input, instead of making a random one")
	flags.BoolVar(&s.rotate, "rotate", false, "seal a new password, and keep the present one as the previous one: nodes accept both")
	flags.BoolVar(&s.finish, "finish", false, "drop the previous password, if every node accepts the new one")
	flags.BoolVar(&s.replace, "replace", false, "seal a new password and drop the old ones at once, for example because one has leaked")
	command.MarkFlagsMutuallyExclusive("rotate", "finish", "replace")
	command.MarkFlagsMutuallyExclusive("user", "username")
	for _, makes := range []string{"username", "also", "password-stdin", "cert"} {
		command.MarkFlagsMutuallyExclusive("finish", makes)
	}
	return command
}

func (s *sealing) run(ctx context.Context) error {
	whose, err := s.whose()
	if err != nil {
		return err
	}
	file, err := s.open()
	if err != nil {
		return err
	}
	if s.finish {
		api, err := s.cluster.api()
		if err != nil {
			return err
		}
		return s.end(ctx, api, file, whose)
	}
	key, err := certificate(ctx, s.cluster, s.certificate)
	if err != nil {
		return err
	}
	credentials, err := s.credentials(file)
	if err != nil {
		return err
	}
	if err := s.change(file, whose, credentials, key); err != nil {
		return err
	}
	if err := s.printCopy(credentials, key); err != nil {
		return err
	}
	return s.write(file)
}

// whose checks the flags, and returns whose credentials are meant.
func (s *sealing) whose() (seal.Whose, error) {
	if s.file == "" && (s.rotate || s.finish || s.replace || s.user != "") {
		return seal.Whose{}, errors.New("--rotate, --finish, --replace and --user change a file: name it with -f")
	}
	if s.also != "" && s.user == "" && s.username == "" && (s.rotate || s.replace) {
		return seal.Whose{}, errors.New("--also needs the user's name, which is sealed: give it with --username")
	}
	if s.user == "" {
		return seal.Whose{}, nil
	}
	return seal.Of(s.user)
}

// open reads the file, or begins one.
func (s *sealing) open() (*seal.File, error) {
	secret := types.NamespacedName{Namespace: *s.cluster.flags.Namespace, Name: s.secret}
	content, err := os.ReadFile(s.file)
	begins := s.file == "" || errors.Is(err, fs.ErrNotExist) && !s.rotate && !s.finish && !s.replace && s.user == ""
	switch {
	case begins:
		return s.begin(secret)
	case err != nil:
		return nil, err
	}
	file, err := seal.Read(content, secret)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", s.file, err)
	}
	return file, nil
}

func (s *sealing) begin(secret types.NamespacedName) (_ *seal.File, err error) {
	if secret.Namespace, err = namespaceFor(s.cluster); err != nil {
		return nil, err
	}
	if err := checkName(secret); err != nil {
		return nil, err
	}
	return seal.New(secret)
}

// namespaceFor returns the namespace that somebody has named: what is sealed for another
// one opens nowhere.
func namespaceFor(cluster cluster) (string, error) {
	namespace, named, err := cluster.flags.ToRawKubeConfigLoader().Namespace()
	if err != nil {
		return "", fmt.Errorf("read the kubeconfig: %w", err)
	}
	if !named && namespace == "default" {
		return "", errors.New("name the namespace with -n: what is sealed opens only there")
	}
	return namespace, nil
}

func checkName(secret types.NamespacedName) error {
	problems := append(validation.IsDNS1123Label(secret.Namespace), validation.IsDNS1123Subdomain(secret.Name)...)
	if len(problems) > 0 {
		return fmt.Errorf("%q is not a valid namespace and name of a Secret: %s", secret.String(), strings.Join(problems, "; "))
	}
	return nil
}

// credentials returns those to seal. What is changed keeps its user's name, unless another
// one is said.
func (s *sealing) credentials(file *seal.File) (bitcoind.Credentials, error) {
	user := s.user + s.username // at most one of the two
	if user == "" && !s.rotate && !s.replace {
		user = file.Secret().Namespace
	}
	if !s.fromStdin {
		return seal.Random(user), nil
	}
	line, err := readPassword(s.In, s.ErrOut)
	if err != nil {
		return bitcoind.Credentials{}, fmt.Errorf("read the password: %w", err)
	}
	return seal.Given(user, line), nil
}

// readPassword reads a password. On a terminal it does not show.
func readPassword(in io.Reader, prompt io.Writer) (string, error) {
	if file, ok := in.(*os.File); ok && term.IsTerminal(int(file.Fd())) {
		fmt.Fprint(prompt, "Password: ")
		defer fmt.Fprintln(prompt)
		line, err := term.ReadPassword(int(file.Fd()))
		return string(line), err
	}
	const most = 64 << 10 // far more than nodes take, and no more than fits
	line, err := io.ReadAll(io.LimitReader(in, most))
	return string(line), err
}

func (s *sealing) change(file *seal.File, whose seal.Whose, credentials bitcoind.Credentials, key seal.Key) error {
	switch {
	case s.rotate:
		err := file.Rotate(whose, credentials, key)
		if errors.Is(err, seal.ErrRotating) {
			return fmt.Errorf("%w, with --finish", err)
		}
		return err
	case s.replace:
		return file.Replace(whose, credentials, key)
	default:
		err := file.Add(whose, credentials, key)
		if errors.Is(err, seal.ErrThere) {
			return fmt.Errorf("%w: --rotate changes it without an outage, --replace at once", err)
		}
		return err
	}
}

// printCopy prints the application's copy.
func (s *sealing) printCopy(credentials bitcoind.Credentials, key seal.Key) error {
	if s.also == "" {
		return nil
	}
	namespace, name, _ := strings.Cut(s.also, "/")
	secret := types.NamespacedName{Namespace: namespace, Name: name}
	if err := checkName(secret); err != nil {
		return fmt.Errorf("--also: %w", err)
	}
	copied, err := seal.New(secret)
	if err != nil {
		return err
	}
	if err := copied.Add(seal.Whose{}, credentials, key); err != nil {
		return err
	}
	content, err := copied.Bytes()
	if err != nil {
		return err
	}
	if s.file == "" {
		content = append(content, "---\n"...) // the other one comes next
	}
	if _, err := s.Out.Write(content); err != nil {
		return fmt.Errorf("print SealedSecret %s: %w", secret, err)
	}
	fmt.Fprintf(s.ErrOut, "printed SealedSecret %s, with the same user and password\n", secret)
	return nil
}

// write writes the file, or prints it, and says what comes next.
func (s *sealing) write(file *seal.File) error {
	content, err := file.Bytes()
	if err != nil {
		return err
	}
	if s.file == "" {
		_, err := s.Out.Write(content)
		return err
	}
	if err := os.WriteFile(s.file, content, 0o644); err != nil {
		return err
	}
	fmt.Fprintln(s.ErrOut, s.done(file))
	return nil
}

// done says what was done to the file, and what comes next.
func (s *sealing) done(file *seal.File) string {
	push := fmt.Sprintf("sealed for %s, in %s: commit it, and push.", file.Secret(), s.file)
	switch {
	case s.rotate:
		return push + "\nNodes then accept both passwords, one node after the other. When every node does,\n" +
			"switch clients to the new one; then drop the previous one, with --finish."
	case s.replace:
		return push + "\nNodes then reject the old password, one node after the other."
	case s.finish:
		return fmt.Sprintf("the previous password is removed from %s: commit it, and push.\nNodes then reject it, one node after the other.", s.file)
	}
	return push
}

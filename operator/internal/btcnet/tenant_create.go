package btcnet

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/seal"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/tenants"
)

// creating is what the flags of tenant create say.
type creating struct {
	cluster cluster
	genericiooptions.IOStreams

	trees
	repository, certificate string
	in, set                 []string
	private, offline, reuse bool
}

func newTenantCreate(cluster cluster, streams genericiooptions.IOStreams, at *trees) *cobra.Command {
	c := &creating{cluster: cluster, IOStreams: streams}
	command := &cobra.Command{
		Use:   "create NAME",
		Short: "Add a team: its values, its line, and the beginning of its repository",
		Long: `Add a team to the fleet repository: a folder tenants/NAME with the platform's
settings for it, and a line in the list of each cluster that it is in. NAME is
its namespace. Nothing is written if the result does not build, if the folder
exists, or if anything of another team would change. You commit the result.

With --repository, also begin the team's own repository in a folder: a first
network, and its credentials, sealed with the certificate that the cluster
publishes.

A name that another team had before is rejected: what was sealed for that team
opens again in a namespace of that name. The history of the fleet repository
and the cluster are checked for it.

The values that --set accepts, as in tenant.yaml:
` + keysHelp(),
		Example: `  kubectl btcnet tenant create team-c
  kubectl btcnet tenant create team-c --repository ../team-c
  kubectl btcnet tenant create team-c --in production --set group=oidc:team-c \
    --set chains=regtest,signet`,
		Args: cobra.ExactArgs(1),
		RunE: func(command *cobra.Command, args []string) error {
			c.trees = *at
			return c.run(command.Context(), args[0])
		},
	}
	flags := command.Flags()
	flags.StringSliceVar(&c.in, "in", nil, "the folders of gitops/clusters that the team is in; by default the only one")
	flags.StringArrayVar(&c.set, "set", nil, "KEY=VALUE: a value of tenant.yaml that differs from the default")
	flags.StringVar(&c.repository, "repository", "", "a folder in which to begin the team's own repository")
	flags.StringVar(&c.certificate, "cert", "", "a file with the certificate to seal with, instead of the one that the cluster publishes")
	flags.BoolVar(&c.private, "private", false, "the team's repository needs credentials, from a Secret git in its namespace")
	flags.BoolVar(&c.offline, "offline", false, "do not contact the cluster, neither to check the namespace nor for a certificate")
	flags.BoolVar(&c.reuse, "reuse-name", false, "reuse the name of a former team, although what was sealed for that team can be opened again")
	return command
}

// keysHelp lists what a team's values are, in 80 columns.
func keysHelp() string {
	var help strings.Builder
	for _, key := range tenants.Keys {
		says := key.Says
		if key.Usual != "" {
			says += "; " + key.Usual + " if unset"
		}
		fmt.Fprintf(&help, "  %-18s%s\n", key.Name, strings.Join(wrapped(says, 60), "\n"+strings.Repeat(" ", 20)))
	}
	return strings.TrimSuffix(help.String(), "\n")
}

// wrapped breaks a text into lines of at most so many characters.
func wrapped(text string, most int) []string {
	lines := []string{""}
	for word := range strings.FieldsSeq(text) {
		last := &lines[len(lines)-1]
		switch {
		case *last == "":
			*last = word
		case len(*last)+1+len(word) > most:
			lines = append(lines, word)
		default:
			*last += " " + word
		}
	}
	return lines
}

func (c *creating) run(ctx context.Context, name string) error {
	team, err := c.team(name)
	if err != nil {
		return err
	}
	fleet, err := tenants.Read(c.fleet, c.release)
	if err != nil {
		return err
	}
	if len(c.in) == 0 {
		only, err := clusterFor(fleet, "")
		if err != nil {
			return err
		}
		c.in = []string{only}
	}
	change, err := fleet.Create(team, c.in)
	if err != nil {
		return fmt.Errorf("create team %s: %w", name, err)
	}
	if err := c.checkName(ctx, name); err != nil {
		return err
	}
	seed, err := c.seed(ctx, team)
	if err != nil {
		return err
	}
	if err := change.Apply(c.fleet); err != nil {
		return err
	}
	if err := seed.Apply(c.repository); err != nil {
		return err
	}
	c.tell(team, change, seed)
	return nil
}

// team returns what the flags say of the team.
func (c *creating) team(name string) (tenants.Team, error) {
	team := tenants.Team{Name: name, Values: tenants.Defaults(name), Private: c.private}
	for _, set := range c.set {
		key, value, found := strings.Cut(set, "=")
		if !found {
			return team, fmt.Errorf("--set %s: must be KEY=VALUE", set)
		}
		team.Values[key] = value
	}
	return team, nil
}

// checkName refuses the name of a team that was, or of a namespace that is.
func (c *creating) checkName(ctx context.Context, name string) error {
	if c.reuse {
		return nil
	}
	past, err := tenants.Past(ctx, c.fleet, name)
	if err != nil {
		return fmt.Errorf("%w; --reuse-name skips this check", err)
	}
	if past != "" {
		return secondLife(name, fmt.Sprintf("there was a team %s, in %s of the fleet repository", name, past))
	}
	if c.offline {
		return nil
	}
	const without = "--offline skips asking the cluster"
	api, err := c.cluster.api()
	if err != nil {
		return fmt.Errorf("%w; %s", err, without)
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	switch err := api.Get(ctx, client.ObjectKey{Name: name}, &corev1.Namespace{}); {
	case apierrors.IsNotFound(err):
		return nil
	case err != nil:
		return fmt.Errorf("ask whether there is a namespace %s: %w; %s", name, err, without)
	}
	return secondLife(name, fmt.Sprintf("there is a namespace %s in the cluster", name))
}

// secondLife says what the name of a namespace that was in use opens.
func secondLife(name, because string) error {
	return fmt.Errorf(`%s.
What was sealed for namespace %s opens there again, as long as the sealing keys of that
time are in use: an old SealedSecret that is committed becomes a Secret, and people of
the former team know what is in it. What is left in the namespace, including volumes,
becomes this team's. Choose another name. If it must be this one, delete the namespace and
retire those keys first (docs/security.md, "When a team leaves"), and use --reuse-name`, because, name)
}

// seed returns the beginning of the team's own repository.
func (c *creating) seed(ctx context.Context, team tenants.Team) (tenants.Change, error) {
	if c.repository == "" {
		return tenants.Change{}, nil
	}
	files := map[string]string{tenants.SeedFile: team.Values.Seed()}
	if team.Values.Source() == tenants.SealedSecrets && (!c.offline || c.certificate != "") {
		secret := types.NamespacedName{Namespace: team.Name, Name: team.Values["secret"]}
		sealed, err := c.sealed(ctx, secret)
		if err != nil {
			return tenants.Change{}, err
		}
		files[secret.Name+".yaml"] = sealed
	}
	for file := range files {
		if _, err := os.Lstat(filepath.Join(c.repository, file)); !errors.Is(err, fs.ErrNotExist) {
			return tenants.Change{}, errors.Join(err, fmt.Errorf("%s already exists", filepath.Join(c.repository, file)))
		}
	}
	return tenants.Change{Writes: files}, nil
}

// sealed returns credentials that nobody has seen.
func (c *creating) sealed(ctx context.Context, secret types.NamespacedName) (string, error) {
	key, err := certificate(ctx, c.cluster, c.certificate)
	if err != nil {
		return "", err
	}
	file, err := seal.New(secret)
	if err != nil {
		return "", err
	}
	if err := file.Add(seal.Whose{}, seal.Random(secret.Namespace), key); err != nil {
		return "", err
	}
	content, err := file.Bytes()
	return string(content), err
}

// tell says what was written, and what comes next.
func (c *creating) tell(team tenants.Team, change, seed tenants.Change) {
	for _, written := range []struct {
		dir   string
		files map[string]string
	}{{c.fleet, change.Writes}, {c.repository, seed.Writes}} {
		for _, file := range slices.Sorted(maps.Keys(written.files)) {
			fmt.Fprintln(c.Out, "wrote", filepath.Join(written.dir, file))
		}
	}
	begin := "networks, and credentials that are sealed for " + team.Name
	source := team.Values.Source()
	if source != tenants.SealedSecrets {
		begin = "networks, and credentials"
	}
	if c.repository != "" {
		begin = "what is in " + c.repository
	}
	steps := []string{
		"Review tenants/" + team.Name + "/tenant.yaml, which sets the team's limits.",
		"Commit the fleet repository, and push it.",
	}
	if team.Private {
		steps = append(steps, "Create a Secret git in namespace "+team.Name+", with the credentials of the team's repository.")
	}
	switch source {
	case tenants.SOPS:
		steps = append(steps, "Create a Secret sops-age in namespace "+team.Name+", with the team's age key: docs/secrets.md.")
	case tenants.ExternalSecrets:
		steps = append(steps, "Create a SecretStore in namespace "+team.Name+": docs/secrets.md.")
	}
	steps = append(steps,
		"Create the team's repository "+team.Values["repository"]+" on the cluster's Git server, with a branch main,\n     and at its top "+begin+".",
		"kubectl get kustomization,btcnet -n "+team.Name)
	fmt.Fprintln(c.Out, "Next:")
	for i, step := range steps {
		fmt.Fprintf(c.Out, "  %d. %s\n", i+1, step)
	}
	if source != tenants.SealedSecrets {
		fmt.Fprintln(c.Out, "The team has to commit its credentials: docs/secrets.md.")
		return
	}
	if _, sealed := seed.Writes[team.Values["secret"]+".yaml"]; c.repository != "" && !sealed {
		fmt.Fprintf(c.Out, "Credentials are not sealed yet: kubectl btcnet credentials seal -n %s -f %s\n",
			team.Name, filepath.Join(c.repository, team.Values["secret"]+".yaml"))
	}
}

package main

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"errors"
	"io"
	"log"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/sigstore/sigstore/pkg/cryptoutils"
)

// keys makes a releaser's keys, as files.
func keys(g Gomega, folder string) (private, public string) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	g.Expect(err).NotTo(HaveOccurred())
	privatePEM, err := cryptoutils.MarshalPrivateKeyToPEM(key)
	g.Expect(err).NotTo(HaveOccurred())
	publicPEM, err := cryptoutils.MarshalPublicKeyToPEM(key.Public())
	g.Expect(err).NotTo(HaveOccurred())
	private, public = filepath.Join(folder, "cosign.key"), filepath.Join(folder, "cosign.pub")
	g.Expect(os.WriteFile(private, privatePEM, 0o600)).To(Succeed())
	g.Expect(os.WriteFile(public, publicPEM, 0o644)).To(Succeed())
	return private, public
}

var commit = source{root: "../../..", version: "v0.2.0", revision: "abc", created: time.Unix(1e9, 0).UTC()}

// release makes one of programs that are none: to build them takes minutes. All else is
// as it is built.
func release(g Gomega, folder string, private string) {
	key, err := readPrivateKey(private)
	g.Expect(err).NotTo(HaveOccurred())
	index := operatorIndex(g, "an operator")
	digest, err := index.Digest()
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(os.MkdirAll(folder, 0o755)).To(Succeed())
	g.Expect(writeLayout(filepath.Join(folder, imagesFolder, "operator"), repository("operator"), commit.version,
		func(path layout.Path, options ...layout.Option) error { return path.AppendIndex(index, options...) }, digest, key)).To(Succeed())
	g.Expect(buildManifests(commit, folder, repository("operator")+":v0.2.0@"+digest.String(), key)).To(Succeed())
	g.Expect(writeChecksums(folder, key)).To(Succeed())
}

func operatorIndex(g Gomega, content string) v1.ImageIndex {
	images := map[machine]v1.Image{}
	for _, m := range imageMachines {
		image, err := imageOf(commit, m, []program{{"operator", []byte(content + " for " + m.String())}, {"bitcoind-start", []byte("an entry point")}})
		g.Expect(err).NotTo(HaveOccurred())
		images[m] = image
	}
	return indexOf(commit, images, imageMachines)
}

// inRegistry starts a registry, and returns the prefix of its repositories.
func inRegistry(t *testing.T) string {
	server := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	t.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "http://") + "/bitcoin-operator"
}

func TestWhatIsPushedIsVerified(t *testing.T) {
	g, ctx, folder := NewWithT(t), t.Context(), filepath.Join(t.TempDir(), "dist")
	private, public := keys(g, t.TempDir())
	_, strangers := keys(g, t.TempDir())
	release(g, folder, private)
	prefix := inRegistry(t)
	g.Expect(run(ctx, []string{"push", "--plain-http", folder, prefix})).To(Succeed())

	for _, image := range []string{"operator", "manifests"} {
		reference := prefix + "/" + image + ":v0.2.0"
		g.Expect(run(ctx, []string{"verify", "--image", "--plain-http", "--key=" + public, reference})).To(Succeed())
		g.Expect(run(ctx, []string{"verify", "--image", "--plain-http", "--key=" + strangers, reference})).
			To(MatchError(HavePrefix("image "+reference+" is not signed by this key: ")), "another's key")
	}

	// What the manifests name is what was pushed, by its digest.
	key, err := readPublicKey(public)
	g.Expect(err).NotTo(HaveOccurred())
	digest, err := verifyImage(ctx, prefix+"/operator:v0.2.0", key, true)
	g.Expect(err).NotTo(HaveOccurred())
	operator, err := os.ReadFile(filepath.Join(folder, "operator.yaml"))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(strings.Count(string(operator), "ghcr.io/bitcoin-operator/operator:v0.2.0@"+digest.DigestStr())).To(Equal(2), "as what runs, and as what it is told")

	// The machines find theirs.
	for _, m := range imageMachines {
		image, err := remote.Image(digest, remote.WithPlatform(v1.Platform{OS: m.os, Architecture: m.arch}))
		g.Expect(err).NotTo(HaveOccurred())
		config, err := image.ConfigFile()
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(config.Architecture).To(Equal(m.arch))
		g.Expect(config.Config.Entrypoint).To(Equal([]string{"/operator"}))
		g.Expect(config.Config.User).To(Equal("65532:65532"))
		archive := mutate.Extract(image)
		content, err := io.ReadAll(archive)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(archive.Close()).To(Succeed())
		g.Expect(string(content)).To(And(ContainSubstring("an operator for "+m.String()), ContainSubstring("an entry point")))
	}
}

func TestImagesThatWereNotSigned(t *testing.T) {
	g, ctx, folder := NewWithT(t), t.Context(), filepath.Join(t.TempDir(), "dist")
	private, public := keys(g, t.TempDir())
	release(g, folder, private)
	prefix := inRegistry(t)
	g.Expect(push(ctx, folder, prefix, true)).To(Succeed())
	key, err := readPublicKey(public)
	g.Expect(err).NotTo(HaveOccurred())
	repository, err := name.NewRepository(prefix+"/operator", name.Insecure)
	g.Expect(err).NotTo(HaveOccurred())

	// Somebody moves the tag to something else, which nobody has signed.
	other := operatorIndex(g, "another operator")
	g.Expect(remote.WriteIndex(repository.Tag("v0.2.0"), other)).To(Succeed())
	_, err = verifyImage(ctx, prefix+"/operator:v0.2.0", key, true)
	g.Expect(err).To(MatchError(ContainSubstring("read the signature of image")))

	// And gives it the signature of what was there.
	signedDigest := signed(g, folder)
	signatures, err := remote.Image(repository.Tag(signatureTag(signedDigest)))
	g.Expect(err).NotTo(HaveOccurred())
	digest, err := other.Digest()
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(remote.Write(repository.Tag(signatureTag(digest)), signatures)).To(Succeed())
	_, err = verifyImage(ctx, prefix+"/operator:v0.2.0", key, true)
	g.Expect(err).To(MatchError(ContainSubstring("the signature is for " + signedDigest.String())))

	// Or an empty one.
	g.Expect(remote.Write(repository.Tag(signatureTag(digest)), empty.Image)).To(Succeed())
	_, err = verifyImage(ctx, prefix+"/operator:v0.2.0", key, true)
	g.Expect(err).To(MatchError(ContainSubstring("it has no signature")))
}

// signed returns the digest of the operator's image in a release.
func signed(g Gomega, folder string) v1.Hash {
	index, err := layout.ImageIndexFromPath(filepath.Join(folder, imagesFolder, "operator"))
	g.Expect(err).NotTo(HaveOccurred())
	manifest, err := index.IndexManifest()
	g.Expect(err).NotTo(HaveOccurred())
	return manifest.Manifests[0].Digest
}

func TestFolders(t *testing.T) {
	for _, test := range []struct {
		reason string
		change func(g Gomega, folder string)
		want   string
	}{
		{"as it was built", func(Gomega, string) {}, ""},
		{"a file is changed", func(g Gomega, folder string) {
			g.Expect(os.WriteFile(filepath.Join(folder, "crds.yaml"), nil, 0o644)).To(Succeed())
		}, "crds.yaml is missing, or is not what was signed"},
		{"a file is missing", func(g Gomega, folder string) {
			g.Expect(os.Remove(filepath.Join(folder, "crds.yaml"))).To(Succeed())
		}, "crds.yaml is missing, or is not what was signed"},
		{"a file is added", func(g Gomega, folder string) {
			g.Expect(os.WriteFile(filepath.Join(folder, "more.yaml"), nil, 0o644)).To(Succeed())
		}, "more.yaml is not part of the release"},
		{"the checksums are changed, too", func(g Gomega, folder string) {
			g.Expect(os.WriteFile(filepath.Join(folder, "crds.yaml"), nil, 0o644)).To(Succeed())
			g.Expect(writeChecksums(folder, nil)).To(Succeed())
		}, "checksums.txt is not signed by this key: "},
		{"another has signed it", func(g Gomega, folder string) {
			private, _ := keys(g, filepath.Dir(folder))
			key, err := readPrivateKey(private)
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(writeChecksums(folder, key)).To(Succeed())
		}, "checksums.txt is not signed by this key: "},
		{"there is no signature", func(g Gomega, folder string) {
			g.Expect(os.Remove(filepath.Join(folder, signatureFile))).To(Succeed())
		}, "read the signature of the checksums: "},
	} {
		t.Run(test.reason, func(t *testing.T) {
			g, folder := NewWithT(t), filepath.Join(t.TempDir(), "dist")
			private, public := keys(g, t.TempDir())
			release(g, folder, private)
			test.change(g, folder)
			err := run(t.Context(), []string{"verify", "--key=" + public, folder})
			if test.want == "" {
				g.Expect(err).NotTo(HaveOccurred())
			} else {
				g.Expect(err).To(MatchError(ContainSubstring(test.want)))
			}
		})
	}
}

// The same commit makes the same images, whoever builds it.
func TestImagesAreReproducible(t *testing.T) {
	g := NewWithT(t)
	first, err := operatorIndex(g, "an operator").Digest()
	g.Expect(err).NotTo(HaveOccurred())
	second, err := operatorIndex(g, "an operator").Digest()
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(first).To(Equal(second))

	files, err := manifests(commit.root, "operator:v1")
	g.Expect(err).NotTo(HaveOccurred())
	once, err := archive(files, commit.created)
	g.Expect(err).NotTo(HaveOccurred())
	again, err := archive(files, commit.created)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(bytes.Equal(once, again)).To(BeTrue())
}

func TestSBOM(t *testing.T) {
	g := NewWithT(t)
	this, err := os.Executable()
	g.Expect(err).NotTo(HaveOccurred())
	content, err := os.ReadFile(this)
	g.Expect(err).NotTo(HaveOccurred())
	encoded, err := sbom(commit, "operator", content)
	g.Expect(err).NotTo(HaveOccurred())
	var bom struct {
		BOMFormat, SpecVersion string
		Metadata               struct {
			Component struct{ Name, Version string }
		}
		Components []struct{ Name, Version, Purl string }
	}
	g.Expect(json.Unmarshal(encoded, &bom)).To(Succeed())
	g.Expect(bom.BOMFormat).To(Equal("CycloneDX"))
	g.Expect(bom.SpecVersion).To(Equal("1.6"))
	g.Expect(bom.Metadata.Component.Name).To(Equal("operator"))
	g.Expect(bom.Metadata.Component.Version).To(Equal("v0.2.0"))
	g.Expect(bom.Components).To(ContainElements(
		HaveField("Purl", HavePrefix("pkg:golang/std@1.")),
		HaveField("Purl", HavePrefix("pkg:golang/github.com/google/go-containerregistry@v0."))))

	_, err = sbom(commit, "operator", []byte("no program"))
	g.Expect(err).To(HaveOccurred())
}

// A digest is what a registry says, or nothing is written.
func TestPin(t *testing.T) {
	const before = `# What this cluster takes from elsewhere.
resources:
  - ../tenants/team-a
images:
  # A mirror.
  - name: ghcr.io/bitcoin-operator/operator
    newName: registry.example.com/operator
    newTag: v0.2.0
  - name: docker.io/bitnami/sealed-secrets-controller
    newTag: 0.40.0
    digest: sha256:old
  - name: example.com/none
    newName: example.com/other
`
	const after = `# What this cluster takes from elsewhere.
resources:
  - ../tenants/team-a
images:
  # A mirror.
  - name: ghcr.io/bitcoin-operator/operator
    newName: registry.example.com/operator
    newTag: v0.2.0
    digest: sha256:registry.example.com/operator:v0.2.0
  - name: docker.io/bitnami/sealed-secrets-controller
    newTag: 0.40.0
    digest: sha256:docker.io/bitnami/sealed-secrets-controller:0.40.0
  - name: example.com/none
    newName: example.com/other
`
	g := NewWithT(t)
	pinned, err := pinImages([]byte(before), func(image string) (string, error) { return "sha256:" + image, nil })
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(string(pinned)).To(Equal(after))
	_, err = pinImages([]byte(before), func(string) (string, error) { return "", errors.New("no registry") })
	g.Expect(err).To(MatchError("no registry"))
	untouched, err := pinImages([]byte("resources: []\n"), nil)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(string(untouched)).To(Equal("resources: []\n"))
}

func TestWhatIsRefused(t *testing.T) {
	for _, test := range []struct {
		reason string
		args   []string
		want   string
	}{
		{"no command", nil, "no such command"},
		{"verify without a key, which would verify nothing", []string{"verify", "dist"}, "no such command"},
		{"no version", []string{"build"}, `flag --version: "" is not a version such as v0.2.0`},
		{"a version that is none", []string{"build", "--version=latest"}, `flag --version: "latest" is not a version such as v0.2.0`},
		{"no such key", []string{"verify", "--key=none", "dist"}, "read the key: "},
	} {
		NewWithT(t).Expect(run(context.Background(), test.args)).To(MatchError(ContainSubstring(test.want)), test.reason)
	}
}

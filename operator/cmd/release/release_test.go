package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"errors"
	"io"
	"log"
	"maps"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
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
	releaseOf(g, commit, "an operator", folder, private)
}

// releaseOf makes one of a commit, and signs it if there is a key.
func releaseOf(g Gomega, commit source, program, folder, private string) {
	var key signer
	if private != "" {
		var err error
		key, err = readPrivateKey(private)
		g.Expect(err).NotTo(HaveOccurred())
	}
	index := operatorIndexOf(g, commit, program)
	digest, err := index.Digest()
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(os.MkdirAll(folder, 0o755)).To(Succeed())
	g.Expect(writeLayout(filepath.Join(folder, imagesFolder, "operator"), repository("operator"), commit.version,
		func(path layout.Path, options ...layout.Option) error { return path.AppendIndex(index, options...) }, digest, key)).To(Succeed())
	g.Expect(buildManifests(commit, folder, repository("operator")+":"+commit.version+"@"+digest.String(), key)).To(Succeed())
	g.Expect(writeChecksums(folder, key)).To(Succeed())
}

func operatorIndex(g Gomega, content string) v1.ImageIndex {
	return operatorIndexOf(g, commit, content)
}

func operatorIndexOf(g Gomega, commit source, content string) v1.ImageIndex {
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

// Any tool that copies from OCI layouts finds an image and its signature by their tags, as
// docs/release.md copies them.
func TestLayoutsNameTheirTags(t *testing.T) {
	g, folder := NewWithT(t), filepath.Join(t.TempDir(), "dist")
	private, _ := keys(g, t.TempDir())
	release(g, folder, private)
	for _, image := range []string{"operator", "manifests"} {
		content, err := os.ReadFile(filepath.Join(folder, imagesFolder, image, "index.json"))
		g.Expect(err).NotTo(HaveOccurred())
		var index struct {
			Manifests []struct {
				Digest      v1.Hash
				Annotations map[string]string
			}
		}
		g.Expect(json.Unmarshal(content, &index)).To(Succeed())
		g.Expect(index.Manifests).To(HaveLen(2))
		of, signature := index.Manifests[0], index.Manifests[1]
		g.Expect(of.Annotations).To(HaveKeyWithValue("org.opencontainers.image.ref.name", "v0.2.0"))
		g.Expect(signature.Annotations).To(HaveKeyWithValue("org.opencontainers.image.ref.name", "sha256-"+of.Digest.Hex+".sig"))
	}
}

// A key as cosign makes one is encrypted.
func TestKeyOfCosign(t *testing.T) {
	g, folder := NewWithT(t), t.TempDir()
	private, public, err := cryptoutils.GeneratePEMEncodedECDSAKeyPair(elliptic.P256(), cryptoutils.StaticPasswordFunc([]byte("secret")))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(write(folder, "cosign.key", private)).To(Succeed())
	g.Expect(write(folder, "cosign.pub", public)).To(Succeed())
	t.Setenv("COSIGN_PASSWORD", "secret")
	release(g, filepath.Join(folder, "dist"), filepath.Join(folder, "cosign.key"))
	g.Expect(run(t.Context(), []string{"verify", "--key=" + filepath.Join(folder, "cosign.pub"), filepath.Join(folder, "dist")})).To(Succeed())
	t.Setenv("COSIGN_PASSWORD", "another")
	_, err = readPrivateKey(filepath.Join(folder, "cosign.key"))
	g.Expect(err).To(MatchError(HavePrefix("read the key in ")))
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
		{"an image is changed, and all that counts its bytes with it", func(g Gomega, folder string) {
			another := filepath.Join(folder, imagesFolder, "another")
			g.Expect(writeLayout(another, repository("operator"), commit.version, func(path layout.Path, options ...layout.Option) error {
				return path.AppendIndex(operatorIndex(g, "another operator"), options...)
			}, signed(g, folder), nil)).To(Succeed())
			g.Expect(os.RemoveAll(filepath.Join(folder, imagesFolder, "operator"))).To(Succeed())
			g.Expect(os.Rename(another, filepath.Join(folder, imagesFolder, "operator"))).To(Succeed())
		}, "images/operator/index.json is missing, or is not what was signed"},
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

// What is unpacked of a release, by path.
func unpacked(g Gomega, archive string) map[string]string {
	packed, err := os.Open(archive)
	g.Expect(err).NotTo(HaveOccurred())
	defer packed.Close()
	plain, err := gzip.NewReader(packed)
	g.Expect(err).NotTo(HaveOccurred())
	files := map[string]string{}
	for reader := tar.NewReader(plain); ; {
		header, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return files
		}
		g.Expect(err).NotTo(HaveOccurred())
		content, err := io.ReadAll(reader)
		g.Expect(err).NotTo(HaveOccurred())
		files[header.Name] = string(content)
	}
}

// Of two releases between which nothing has changed, the manifests differ in the image
// alone, and what a fleet begins with in the tag: an upgrade changes nothing that its
// release did not mean to change.
func TestUpgradeFromTheReleaseBefore(t *testing.T) {
	g, folder := NewWithT(t), t.TempDir()
	private, _ := keys(g, folder)
	before := commit
	before.version, before.revision, before.created = "v0.1.0", "abb", commit.created.Add(-time.Hour)
	images := map[source]string{}
	for _, s := range []source{before, commit} {
		dist := filepath.Join(folder, s.version)
		releaseOf(g, named(g, s, filepath.Join(folder, "repository-"+s.version)), "an operator "+s.version, dist, private)
		images[s] = repository("operator") + ":" + s.version + "@" + signed(g, dist).String()
	}
	g.Expect(images[before]).NotTo(Equal(images[commit]))
	differ := func(was, is map[string]string) (files []string) {
		g.Expect(slices.Sorted(maps.Keys(is))).To(Equal(slices.Sorted(maps.Keys(was))))
		for name := range was {
			upgraded := strings.NewReplacer(images[before], images[commit], "tag: "+before.version, "tag: "+commit.version).Replace(was[name])
			g.Expect(upgraded).To(Equal(is[name]), name)
			if was[name] != is[name] {
				files = append(files, name)
			}
		}
		return files
	}
	g.Expect(differ(
		unpacked(g, filepath.Join(folder, "v0.1.0", "manifests_v0.1.0.tar.gz")),
		unpacked(g, filepath.Join(folder, "v0.2.0", "manifests_v0.2.0.tar.gz")),
	)).To(ConsistOf("gitops/operator/deployment.yaml", "gitops/infrastructure/sealing-certificate/publisher.yaml"))
	g.Expect(differ(
		unpacked(g, filepath.Join(folder, "v0.1.0", "fleet_v0.1.0.tar.gz")),
		unpacked(g, filepath.Join(folder, "v0.2.0", "fleet_v0.2.0.tar.gz")),
	)).To(ConsistOf(releaseFile))
	files := func(s source) map[string]string {
		files := map[string]string{}
		for name := range rendered {
			content, err := os.ReadFile(filepath.Join(folder, s.version, name))
			g.Expect(err).NotTo(HaveOccurred())
			files[name] = string(content)
		}
		return files
	}
	g.Expect(differ(files(before), files(commit))).To(ConsistOf("operator.yaml"))
}

// A fleet repository that begins with a release's archive builds with what it takes of the
// release, and has no team yet.
func TestFleetBegins(t *testing.T) {
	g, folder := NewWithT(t), filepath.Join(t.TempDir(), "dist")
	private, _ := keys(g, t.TempDir())
	release(g, folder, private)
	begins, takes := unpacked(g, filepath.Join(folder, "fleet_v0.2.0.tar.gz")), unpacked(g, filepath.Join(folder, "manifests_v0.2.0.tar.gz"))
	var files []file
	for name, content := range begins {
		files = append(files, file{name: name, content: []byte(content)})
	}
	var taken []string
	for name, content := range takes {
		if _, isFleets := begins[name]; isFleets {
			g.Expect(content).To(Equal(begins[name]), "the fleet's own copy is the release's")
			continue
		}
		files = append(files, file{name: name, content: []byte(content)})
		taken = append(taken, name)
	}
	const clusters = "gitops/clusters/production"
	for _, built := range []string{clusters, clusters + "/flux-system", clusters + "/flux-tenants", clusters + "/sealed-secrets"} {
		g.Expect(render(files, built)).NotTo(BeEmpty(), built)
	}
	g.Expect(render(files, clusters+"/tenants")).To(BeEmpty(), "teams")
	operator, err := os.ReadFile(filepath.Join(folder, "operator.yaml"))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(string(operator)).NotTo(ContainSubstring(repository("bitcoind")), "it is published nowhere")

	cluster, err := render(files, clusters)
	g.Expect(err).NotTo(HaveOccurred())
	var included []string
	for _, path := range regexp.MustCompile(`toPath: (.*)`).FindAllStringSubmatch(string(cluster), -1) {
		included = append(included, path[1])
	}
	g.Expect(included).NotTo(BeEmpty())
	for _, name := range taken {
		isIncluded := slices.ContainsFunc(included, func(folder string) bool { return strings.HasPrefix(name, folder+"/") })
		g.Expect(isIncluded || name == "tenants/leftovers.sh").To(BeTrue(), "%s of a release is in no fleet that refers to it", name)
	}
}

// A fleet's sources are named by the version.
func TestVersionsAreNames(t *testing.T) {
	g := NewWithT(t)
	for version, want := range map[string]bool{
		"v0.2.0": true, "v0.2.0-rc.1": true, "v0.2.0-alpha-2": true,
		"v0.2.0-RC.1": false, "v0.2.0-rc.": false, "v0.2.0-": false, "v0.2.0+build": false, "v0.2": false, "0.2.0": false,
	} {
		g.Expect(versions.MatchString(version)).To(Equal(want), version)
	}
}

// A fleet that refers to the tag runs what the repository names there.
func TestReleaseOfARepositoryThatNamesAnother(t *testing.T) {
	const (
		deployment = "gitops/operator/deployment.yaml"
		cluster    = "gitops/clusters/production/tenants/kustomization.yaml"
		image      = "ghcr.io/bitcoin-operator/operator:"
	)
	for _, test := range []struct {
		reason, file, was, is, want string
	}{
		{"it names itself", "", "", "", ""},
		{"the image of the operator", deployment, image + "v0.2.0", image + "v0.1.0",
			deployment + " names v0.1.0, not v0.2.0: a fleet at the tag v0.2.0 would not run it"},
		{"a candidate is another version", deployment, image + "v0.2.0", image + "v0.2.0-rc.1",
			deployment + " names v0.2.0-rc.1, not v0.2.0"},
		{"the version in a comment alone", deployment, image + "v0.2.0", "registry.example.com/operator:v0.2.0 # " + image + "v0.2.0",
			deployment + " names no version"},
		{"the release that a fleet begins with", releaseFile, "tag: v0.2.0", "tag: v0.1.0 # v0.2.0",
			releaseFile + " names v0.1.0, not v0.2.0"},
		{"a cluster that changes the image's tag", cluster, "images:\n", "images:\n  - name: ghcr.io/bitcoin-operator/operator\n    newTag: v0.1.0\n",
			cluster + " names v0.1.0, not v0.2.0"},
		{"another version in a comment", cluster, "images:\n", "# Not " + image + "v0.1.0.\nimages:\n", ""},
	} {
		t.Run(test.reason, func(t *testing.T) {
			g := NewWithT(t)
			s := named(g, commit, t.TempDir())
			if test.file != "" {
				content, err := os.ReadFile(filepath.Join(s.root, test.file))
				g.Expect(err).NotTo(HaveOccurred())
				g.Expect(string(content)).To(ContainSubstring(test.was))
				g.Expect(write(s.root, test.file, bytes.Replace(content, []byte(test.was), []byte(test.is), 1))).To(Succeed())
			}
			if test.want == "" {
				g.Expect(namesItself(s)).To(Succeed())
			} else {
				g.Expect(namesItself(s)).To(MatchError(HavePrefix(test.want)))
			}
		})
	}
}

// named copies a commit's manifests to a folder, where they name its version.
func named(g Gomega, commit source, root string) source {
	files, err := read(commit.root, slices.Concat(productFolders, fleetFolders), func(content []byte) []byte {
		content = operatorImage.ReplaceAll(content, []byte(repository("operator")+":"+commit.version))
		return regexp.MustCompile(`(?m)^  tag: v.*$`).ReplaceAll(content, []byte("  tag: "+commit.version))
	})
	g.Expect(err).NotTo(HaveOccurred())
	for _, f := range files {
		g.Expect(write(root, f.name, f.content)).To(Succeed())
	}
	commit.root = root
	return commit
}

// Whether it is signed or not, nothing is built that contradicts itself; and nothing is
// signed of which there is no commit.
func TestReleaseIsOfACommitThatNamesIt(t *testing.T) {
	g, ctx := NewWithT(t), t.Context()
	private, _ := keys(g, t.TempDir())
	s := named(g, commit, t.TempDir())
	for _, args := range [][]string{
		{"init", "--quiet"}, {"add", "--all"},
		{"-c", "user.name=releaser", "-c", "user.email=releaser@example.com", "commit", "--quiet", "--message=A release"},
	} {
		_, err := git(ctx, s.root, args...)
		g.Expect(err).NotTo(HaveOccurred())
	}
	out := filepath.Join(t.TempDir(), "dist")
	build := func(args ...string) error {
		return run(ctx, append([]string{"build", "--root=" + s.root, "--out=" + out}, args...))
	}
	for _, key := range []string{"", private} {
		refused := build("--version=v0.3.0", "--key="+key)
		for _, name := range naming {
			g.Expect(refused).To(MatchError(ContainSubstring(name + " names v0.2.0, not v0.3.0: a fleet at the tag v0.3.0 would not run it")))
		}
	}
	g.Expect(write(s.root, "a-note", nil)).To(Succeed())
	g.Expect(build("--version=v0.2.0", "--key="+private)).To(MatchError(HavePrefix("there are uncommitted changes")))
	g.Expect(out).NotTo(BeADirectory())
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

	// And so is all of the rest, but for signatures, of which no two are alike.
	sums := map[string]bool{}
	for _, built := range []string{"once", "again"} {
		folder := filepath.Join(t.TempDir(), built)
		releaseOf(g, commit, "an operator", folder, "")
		content, err := os.ReadFile(filepath.Join(folder, checksumsFile))
		g.Expect(err).NotTo(HaveOccurred())
		sums[string(content)] = true
	}
	g.Expect(sums).To(HaveLen(1))
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
		{"a platform that no node of Kubernetes has", []string{"build", "--version=v0.2.0", "--platform=darwin/arm64"}, `flag --platform: there is no image for "darwin/arm64": it must be one of [linux_amd64 linux_arm64]`},
		{"no such key", []string{"verify", "--key=none", "dist"}, "read the key: "},
	} {
		NewWithT(t).Expect(run(context.Background(), test.args)).To(MatchError(ContainSubstring(test.want)), test.reason)
	}
}

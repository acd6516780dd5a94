package seal

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	sealedsecrets "github.com/bitnami/sealed-secrets/pkg/apis/sealedsecrets/v1alpha1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/kustomize/kyaml/kio"
	kyaml "sigs.k8s.io/kustomize/kyaml/yaml"
	"sigs.k8s.io/yaml"
)

// ErrNoSealedSecret tells that a file has no SealedSecret of a name.
var ErrNoSealedSecret = errors.New("there is no SealedSecret")

// File is a file of Kubernetes objects, of which one is a SealedSecret. The other ones,
// and comments, stay as they are.
type File struct {
	documents []*kyaml.RNode
	sealed    *kyaml.RNode
	secret    types.NamespacedName
}

// New returns a file with a SealedSecret in which nothing is sealed yet.
func New(secret types.NamespacedName) (*File, error) {
	content, err := yaml.Marshal(sealedsecrets.SealedSecret{
		TypeMeta:   metav1.TypeMeta{APIVersion: sealedsecrets.SchemeGroupVersion.String(), Kind: kind},
		ObjectMeta: metav1.ObjectMeta{Namespace: secret.Namespace, Name: secret.Name},
		Spec: sealedsecrets.SealedSecretSpec{
			EncryptedData: sealedsecrets.SealedSecretEncryptedData{},
			Template: sealedsecrets.SecretTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Namespace: secret.Namespace, Name: secret.Name},
				Type:       corev1.SecretTypeOpaque,
			},
		},
	})
	if err != nil {
		return nil, fmt.Errorf("write SealedSecret %s: %w", secret, err)
	}
	return Read(content, secret)
}

const kind = "SealedSecret"

// Read reads a file for its SealedSecret of a name. A namespace that is not given is the
// one that the SealedSecret says; where it says none either, nobody knows what it was
// sealed for.
func Read(content []byte, secret types.NamespacedName) (*File, error) {
	documents, err := kio.FromBytes(content)
	if err != nil {
		return nil, err
	}
	for _, document := range documents {
		// Readers annotate what they read, with where.
		if err := document.PipeE(kyaml.ClearAnnotation("internal.config.kubernetes.io/index")); err != nil {
			return nil, err
		}
	}
	i := slices.IndexFunc(documents, func(document *kyaml.RNode) bool {
		return document.GetKind() == kind && document.GetName() == secret.Name
	})
	if i < 0 {
		return nil, fmt.Errorf("%w %s", ErrNoSealedSecret, secret.Name)
	}
	f := &File{documents: documents, sealed: documents[i], secret: secret}
	return f, f.check()
}

// check holds the SealedSecret to what can be added to it, and takes its namespace over.
func (f *File) check() error {
	found := &sealedsecrets.SealedSecret{}
	text, err := f.sealed.String()
	if err != nil {
		return err
	}
	if err := yaml.Unmarshal([]byte(text), found); err != nil {
		return fmt.Errorf("read SealedSecret %s: %w", f.secret.Name, err)
	}
	if f.secret.Namespace == "" {
		f.secret.Namespace = found.Namespace
	}
	switch {
	case f.secret.Namespace == "":
		return fmt.Errorf("SealedSecret %s has no namespace: set the one that it was sealed for", f.secret.Name)
	case found.Namespace != "" && found.Namespace != f.secret.Namespace:
		return fmt.Errorf("SealedSecret %s is for namespace %s, not %s: what is sealed opens in one namespace only", f.secret.Name, found.Namespace, f.secret.Namespace)
	case sealedsecrets.SecretScope(found) != sealedsecrets.StrictScope || found.Scope() != sealedsecrets.StrictScope:
		return fmt.Errorf("SealedSecret %s was sealed with a scope other than strict, which the platform rejects: seal it again", f.secret)
	}
	return nil
}

// Secret is the namespace and the name of the Secret.
func (f *File) Secret() types.NamespacedName { return f.secret }

// Bytes are the file's content as it now is.
func (f *File) Bytes() ([]byte, error) {
	var content bytes.Buffer
	err := kio.ByteWriter{Writer: &content}.Write(f.documents)
	return content.Bytes(), err
}

// Values are the sealed values, by key.
func (f *File) Values() (map[string]string, error) {
	data, err := f.sealed.Pipe(kyaml.Lookup("spec", "encryptedData"))
	if err != nil || data == nil {
		return nil, err
	}
	values := map[string]string{}
	err = data.VisitFields(func(field *kyaml.MapNode) error {
		values[kyaml.GetValue(field.Key)] = kyaml.GetValue(field.Value)
		return nil
	})
	return values, err
}

// has reports whether there is a value under a key.
func (f *File) has(key string) bool {
	field, err := f.sealed.Pipe(kyaml.Lookup("spec", "encryptedData", key))
	return err == nil && field != nil
}

// put seals a value under a key.
func (f *File) put(key, plain string, with Key) error {
	sealed, err := with.value(f.secret, plain)
	if err != nil {
		return err
	}
	return f.set(key, sealed)
}

func (f *File) set(key, sealed string) error {
	data, err := f.sealed.Pipe(kyaml.LookupCreate(kyaml.MappingNode, "spec", "encryptedData"))
	if err != nil {
		return err
	}
	data.YNode().Style = 0 // a line each, also where it was {}
	return data.PipeE(kyaml.SetField(key, kyaml.NewStringRNode(sealed)))
}

// copy puts what is sealed under one key under another, too: it opens there as well.
func (f *File) copy(from, to string) error {
	values, err := f.Values()
	if err != nil {
		return err
	}
	return f.set(to, values[from])
}

func (f *File) drop(key string) error {
	return f.sealed.PipeE(kyaml.Lookup("spec", "encryptedData"), kyaml.Clear(key))
}

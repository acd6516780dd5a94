// Package floor asks the oldest Kubernetes that the documentation names whether it takes
// the manifests. It does so with that Kubernetes' own libraries: go.mod says which.
package floor

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/yaml"
)

const root = "../.."

// kubernetes has the kinds that the floor has.
var kubernetes = func() *runtime.Scheme {
	kinds := runtime.NewScheme()
	utilruntime.Must(scheme.AddToScheme(kinds))
	utilruntime.Must(apiextensionsv1.AddToScheme(kinds))
	return kinds
}()

var strict = serializer.NewCodecFactory(kubernetes, serializer.EnableStrict).UniversalDeserializer()

// manifest is one document of a file.
type manifest struct {
	file    string
	kind    schema.GroupVersionKind
	content []byte
}

// object is what the floor reads, which must know every field.
func (m manifest) object() (runtime.Object, error) {
	object, _, err := strict.Decode(m.content, nil, nil)
	if err != nil {
		return nil, fmt.Errorf("read a %s of %s: %w", m.kind.Kind, m.file, err)
	}
	return object, nil
}

// manifests are those of Kubernetes' own kinds, in all folders that Flux is pointed at.
func manifests() ([]manifest, error) {
	var found []manifest
	for _, folder := range []string{"gitops", "tenants"} {
		err := filepath.WalkDir(filepath.Join(root, folder), func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || filepath.Ext(path) != ".yaml" {
				return err
			}
			documents, err := read(path)
			found = append(found, documents...)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return found, nil
}

func read(path string) ([]manifest, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	var found []manifest
	for documents := utilyaml.NewYAMLReader(bufio.NewReader(file)); ; {
		content, err := documents.Read()
		if errors.Is(err, io.EOF) {
			return found, nil
		}
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", path, err)
		}
		// Some files are no objects.
		var kind metav1.TypeMeta
		if err := yaml.Unmarshal(content, &kind); err != nil {
			return nil, fmt.Errorf("read a document of %s: %w", path, err)
		}
		if kind.Kind != "" && kubernetes.IsGroupRegistered(kind.GroupVersionKind().Group) {
			found = append(found, manifest{path, kind.GroupVersionKind(), content})
		}
	}
}

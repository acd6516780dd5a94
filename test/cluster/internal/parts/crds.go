package parts

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// crds are where modules have their CustomResourceDefinitions, and the folder
// below .local/crds that they go to.
var crds = []struct{ module, dir, to string }{
	{"github.com/fluxcd/source-controller", "config/crd/bases", "flux"},
	{"github.com/fluxcd/kustomize-controller", "config/crd/bases", "flux"},
	{"github.com/bitnami/sealed-secrets", "helm/sealed-secrets/crds", "sealed-secrets"},
}

// copyCRDs takes CustomResourceDefinitions out of the modules, which ship them,
// so that they are always those of the controllers.
func copyCRDs(b *build) error {
	for _, source := range crds {
		cmd := exec.CommandContext(b, "go", "mod", "download", "-json", source.module)
		cmd.Dir = b.Source("test/cluster", unified)
		cmd.Env = append(os.Environ(), GoEnv...)
		cmd.Stderr = b.log
		out, err := cmd.Output()
		if err != nil {
			return fmt.Errorf("fetch %s: %w", source.module, err)
		}
		var module struct{ Dir string }
		if err := json.Unmarshal(out, &module); err != nil {
			return fmt.Errorf("find %s: %w", source.module, err)
		}
		files, err := filepath.Glob(filepath.Join(module.Dir, source.dir, "*.yaml"))
		if err != nil {
			return err
		}
		if len(files) == 0 {
			return fmt.Errorf("%s has no CRDs in %s", source.module, source.dir)
		}
		to := b.Local("crds", source.to)
		if err := os.MkdirAll(to, 0o755); err != nil {
			return err
		}
		for _, file := range files {
			data, err := os.ReadFile(file)
			if err != nil {
				return err
			}
			if err := os.WriteFile(filepath.Join(to, filepath.Base(file)), data, 0o644); err != nil {
				return err
			}
		}
	}
	return nil
}

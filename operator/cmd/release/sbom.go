package main

import (
	"bytes"
	"cmp"
	"debug/buildinfo"
	"fmt"
	"runtime/debug"
	"strings"
	"time"

	cdx "github.com/CycloneDX/cyclonedx-go"
)

// sbom returns what a program is made of, by what the Go toolchain has noted in it, as
// CycloneDX in JSON.
func sbom(s source, name string, content []byte) ([]byte, error) {
	build, err := buildinfo.Read(bytes.NewReader(content))
	if err != nil {
		return nil, fmt.Errorf("read what %s was built from: %w", name, err)
	}
	bom := cdx.NewBOM()
	bom.Metadata = &cdx.Metadata{
		Timestamp: s.created.Format(time.RFC3339),
		Component: &cdx.Component{
			BOMRef: name, Type: cdx.ComponentTypeApplication, Name: name, Version: s.version,
			Licenses: &cdx.Licenses{{License: &cdx.License{ID: "Apache-2.0"}}},
		},
	}
	standard := module("std", strings.TrimPrefix(build.GoVersion, "go"))
	components, references := []cdx.Component{standard}, []string{standard.BOMRef}
	for _, dependency := range build.Deps {
		used := cmp.Or(dependency.Replace, dependency)
		component := module(used.Path, used.Version)
		component.Properties = sum(used)
		components, references = append(components, component), append(references, component.BOMRef)
	}
	bom.Components = &components
	bom.Dependencies = &[]cdx.Dependency{{Ref: name, Dependencies: &references}}
	var out bytes.Buffer
	if err := cdx.NewBOMEncoder(&out, cdx.BOMFileFormatJSON).SetPretty(true).EncodeVersion(bom, cdx.SpecVersion1_6); err != nil {
		return nil, fmt.Errorf("encode what %s was built from: %w", name, err)
	}
	return out.Bytes(), nil
}

func module(path, version string) cdx.Component {
	purl := "pkg:golang/" + path + "@" + version
	return cdx.Component{BOMRef: purl, Type: cdx.ComponentTypeLibrary, Name: path, Version: version, PackageURL: purl}
}

// sum returns the checksum by which go.sum knows a module.
func sum(module *debug.Module) *[]cdx.Property {
	if module.Sum == "" {
		return nil
	}
	return &[]cdx.Property{{Name: "go.sum", Value: module.Sum}}
}

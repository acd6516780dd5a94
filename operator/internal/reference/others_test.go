package main

import "slices"

// others are names that pages quote of others: kinds, and what Kubernetes and Flux say.
var others = []string{
	"ErrImageNeverPull", "ErrImagePull", "ImagePullBackOff", // reasons of the kubelet
	"EventRateLimit",                   // an admission plugin
	"True",                             // what a condition is
	"HealthCheckFailed", "PruneFailed", // reasons of Flux's Kustomizations
	"NodeResizeInProgress",                                    // a status of volume claims
	"Kustomization",                                           // a kind of Flux
	"CancelHealthCheckOnNewRevision", "DisableConfigWatchers", // feature gates of Flux's kustomize-controller
	"UserNamespacesSupport",     // one of Kubernetes
	"OnDelete", "RollingUpdate", // update strategies of StatefulSets
	"Opaque",             // a type of Secrets
	"SealedSecret",       // a kind of sealed-secrets
	"TestWhoReachesWhom", // a test
}

// former are names that things had before, by the page that says so.
var former = map[string][]string{
	"CHANGELOG.md": {"Stranger"},
}

// othersFlags are flags that pages have of other programs.
var othersFlags = slices.Concat(
	[]string{"--all", "--cascade", "--field-manager", "--for", "--force-conflicts", "--from-file", "--from-literal", "--help",
		"--list", "--overwrite", "--previous", "--replicas", "--server-side", "--type", "--types", "--watch"}, // kubectl
	[]string{"--cached", "--ignore-unmatch", "--initial-branch", "--quiet", "--unshallow"}, // git
	[]string{"--branch", "--path", "--pre", "--url", "--with-source"},                      // flux
	[]string{"--default-service-account", "--feature-gates", "--no-cross-namespace-refs", "--no-remote-bases",
		"--watch-all-namespaces"}, // Flux's controllers
	[]string{"--cert", "--fetch-cert", "--merge-into", "--re-encrypt", "--validate"}, // kubeseal
	[]string{"--key-cutoff-time", "--key-renew-period"},                              // sealed-secrets-controller
	[]string{"--build-arg", "--target"},                                              // docker build
	[]string{"--check"},                                                              // sha256sum
	[]string{"--in-place"},                                                           // sops
	[]string{"--insecure-ignore-tlog"},                                               // cosign
	[]string{"--from-oci-layout", "--oci-layout"},                                    // oras
)

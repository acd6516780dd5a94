package main

// others are names that pages quote of others: kinds, and what Kubernetes and Flux say.
var others = []string{
	"ErrImageNeverPull", "ErrImagePull", "ImagePullBackOff", // reasons of the kubelet
	"EventRateLimit",                   // an admission plugin
	"HealthCheckFailed", "PruneFailed", // reasons of Flux's Kustomizations
	"NodeResizeInProgress",      // a status of volume claims
	"OnDelete", "RollingUpdate", // update strategies of StatefulSets
	"SealedSecret",       // a kind of sealed-secrets
	"TestWhoReachesWhom", // a test
}

// othersFlags are flags that pages quote of other programs.
var othersFlags = []string{
	"--cert", "--merge-into", "--re-encrypt", "--validate", // kubeseal
	"--key-renew-period",                             // sealed-secrets-controller
	"--no-cross-namespace-refs", "--no-remote-bases", // kustomize-controller
	"--plain-http", // operator/cmd/release
}

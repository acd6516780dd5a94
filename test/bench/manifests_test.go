package main

import (
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

func TestInvocation(t *testing.T) {
	field := func(path string) *corev1.EnvVarSource {
		return &corev1.EnvVarSource{FieldRef: &corev1.ObjectFieldSelector{FieldPath: path}}
	}
	container := corev1.Container{
		Args: []string{"--secret=$(SECRET)", "--log-level=info", "--metrics-addr=:8080"},
		Env: []corev1.EnvVar{
			{Name: "SECRET", Value: "bitcoin-rpc"},
			{Name: "RUNTIME_NAMESPACE", ValueFrom: field("metadata.namespace")},
			{Name: "POD", ValueFrom: field("metadata.name")},
			{Name: "GOMEMLIMIT", ValueFrom: &corev1.EnvVarSource{ResourceFieldRef: &corev1.ResourceFieldSelector{Resource: "limits.memory"}}},
		},
		Resources: corev1.ResourceRequirements{Limits: corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("128Mi")}},
	}
	got, err := invocationOf(container, "team-a", "bitcoin-operator-0")
	if err != nil {
		t.Fatal(err)
	}
	got = got.with("--metrics-addr", "127.0.0.1:1")
	if want := []string{"--secret=bitcoin-rpc", "--log-level=info", "--metrics-addr=127.0.0.1:1"}; !slices.Equal(got.arguments, want) {
		t.Errorf("arguments = %q, want %q", got.arguments, want)
	}
	if want := []string{"SECRET=bitcoin-rpc", "RUNTIME_NAMESPACE=team-a", "POD=bitcoin-operator-0", "GOMEMLIMIT=134217728"}; !slices.Equal(got.environment, want) {
		t.Errorf("environment = %q, want %q", got.environment, want)
	}
	container.Env = []corev1.EnvVar{{Name: "IP", ValueFrom: field("status.podIP")}}
	if _, err := invocationOf(container, "team-a", "bitcoin-operator-0"); err == nil {
		t.Error("a value that the benchmark does not know is left out without a word")
	}
}

package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

// operatorFolder has what a cluster is given of an operator.
const operatorFolder = "gitops/operator"

// rightsOf reads what an operator is given in its namespace beside its Deployment: its
// Roles, its account and its lease.
func rightsOf(namespace string) ([]*unstructured.Unstructured, error) {
	var objects []*unstructured.Unstructured
	for _, file := range []string{"service-account.yaml", "role.yaml", "role-secret.yaml", "lease.yaml"} {
		content, err := os.ReadFile(filepath.Join(operatorFolder, file))
		if err != nil {
			return nil, err
		}
		for document := range bytes.SplitSeq(content, []byte("\n---\n")) {
			object := &unstructured.Unstructured{}
			if err := yaml.Unmarshal(document, object); err != nil {
				return nil, fmt.Errorf("read %s: %w", file, err)
			}
			bindTo(object, namespace)
			objects = append(objects, object)
		}
	}
	return objects, nil
}

// mostNodes is how many the resource definitions allow a network.
const mostNodes = "1000"

// readBounds reads what a tenant's networks may be, but for their size.
func readBounds() (map[string]string, error) {
	content, err := os.ReadFile("tenants/team-a/tenant.yaml")
	if err != nil {
		return nil, err
	}
	var tenant corev1.ConfigMap
	if err := yaml.UnmarshalStrict(content, &tenant); err != nil {
		return nil, fmt.Errorf("read a tenant's bounds: %w", err)
	}
	tenant.Data["maxNodes"] = mostNodes
	return tenant.Data, nil
}

// bindTo puts an object, and the accounts that it names, into a namespace, as kustomize
// does.
func bindTo(object *unstructured.Unstructured, namespace string) {
	object.SetNamespace(namespace)
	subjects, _, _ := unstructured.NestedSlice(object.Object, "subjects")
	for _, subject := range subjects {
		subject.(map[string]any)["namespace"] = namespace
	}
	if len(subjects) > 0 {
		object.Object["subjects"] = subjects
	}
}

// invocation is how a container of a pod is started.
type invocation struct {
	arguments, environment []string
}

// readInvocation reads how the Deployment starts the operator.
func readInvocation(namespace string) (invocation, error) {
	content, err := os.ReadFile(filepath.Join(operatorFolder, "deployment.yaml"))
	if err != nil {
		return invocation{}, err
	}
	var deployment appsv1.Deployment
	if err := yaml.UnmarshalStrict(content, &deployment); err != nil {
		return invocation{}, fmt.Errorf("read the operator's Deployment: %w", err)
	}
	return invocationOf(deployment.Spec.Template.Spec.Containers[0], namespace, deployment.Name+"-0")
}

// invocationOf does what the kubelet does to start a container.
func invocationOf(container corev1.Container, namespace, pod string) (invocation, error) {
	var result invocation
	var variables []string // as pairs, for the arguments
	for _, variable := range container.Env {
		value := variable.Value
		if source := variable.ValueFrom; source != nil {
			var err error
			if value, err = valueFrom(*source, container, namespace, pod); err != nil {
				return result, fmt.Errorf("variable %s: %w", variable.Name, err)
			}
		}
		result.environment = append(result.environment, variable.Name+"="+value)
		variables = append(variables, "$("+variable.Name+")", value)
	}
	for _, argument := range container.Args {
		result.arguments = append(result.arguments, strings.NewReplacer(variables...).Replace(argument))
	}
	return result, nil
}

func valueFrom(source corev1.EnvVarSource, container corev1.Container, namespace, pod string) (string, error) {
	switch {
	case source.FieldRef != nil && source.FieldRef.FieldPath == "metadata.namespace":
		return namespace, nil
	case source.FieldRef != nil && source.FieldRef.FieldPath == "metadata.name":
		return pod, nil
	case source.ResourceFieldRef != nil && source.ResourceFieldRef.Resource == "limits.memory":
		divisor := max(source.ResourceFieldRef.Divisor.Value(), 1)
		return strconv.FormatInt((container.Resources.Limits.Memory().Value()+divisor-1)/divisor, 10), nil
	default:
		return "", fmt.Errorf("the benchmark does not know where its value comes from: %v", source)
	}
}

// with returns an invocation that has a flag at another value.
func (i invocation) with(flag, value string) invocation {
	arguments := make([]string, 0, len(i.arguments))
	for _, argument := range i.arguments {
		if name, _, _ := strings.Cut(argument, "="); name != flag {
			arguments = append(arguments, argument)
		}
	}
	return invocation{arguments: append(arguments, flag+"="+value), environment: i.environment}
}

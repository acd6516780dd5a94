package manifests

import (
	"strings"
	"testing"
)

func TestAll(t *testing.T) {
	out, err := All(Values{DNS: "198.19.0.10", Domain: "cluster.local", Volumes: "/the/volumes", Helper: "the/helper:1"})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"clusterIP: 198.19.0.10\n", `"paths": ["/the/volumes"]`, "image: the/helper:1\n", "kubernetes cluster.local "} {
		if !strings.Contains(string(out), want) {
			t.Errorf("%q is missing", want)
		}
	}
	if strings.Contains(string(out), "<<") {
		t.Error("something was not filled in")
	}
	// What pulls from a registry cannot start here.
	for line := range strings.Lines(string(out)) {
		if image, ok := strings.CutPrefix(strings.TrimSpace(line), "image: "); ok && !strings.Contains(image, ":") {
			t.Errorf("image %s has no tag, so it would be pulled", image)
		}
	}
}

// A file that is part of a manifest comes out of it as it was.
func TestMonitoring(t *testing.T) {
	const config = "route:\n  receiver: a\n\nreceivers:\n  - name: '{{ .A }}'\n"
	out, err := Monitoring(MonitoringValues{Image: "the/image:1", Alertmanager: config, Receiver: "http://192.0.2.1:1/"})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"image: the/image:1\n", "\n    route:\n      receiver: a\n    \n    receivers:\n      - name: '{{ .A }}'\n---\n", "slack: http://192.0.2.1:1/\n"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("%q is missing in:\n%s", want, out)
		}
	}
	if strings.Contains(string(out), "<<") {
		t.Error("something was not filled in")
	}
}

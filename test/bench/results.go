package main

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
)

// results are all that a run has measured.
type results struct {
	// Mode is "quick", "full" or "counts".
	Mode string `json:"mode"`
	// Binary is the size of the operator's program, in bytes.
	Binary   int64     `json:"binary"`
	Windows  []window  `json:"windows"`
	Tenants  *tenants  `json:"tenants,omitempty"`
	FullMesh []meshing `json:"fullMesh,omitempty"`
}

// What happens in a window.
const (
	coldStart   = "cold start"
	oneRestarts = "one pod restarts"
	manyRestart = "10 % of the pods restart"
	scaleDown   = "scaled down by 10 %"
	scaleUp     = "and back up"
	newOperator = "the operator restarts"
	steadily    = "steady"
	mining      = "a block every 10 s"
	someHang    = "5 % begin to hang, a healthy pod restarts"
)

// window is what an operator did about one network in a while.
type window struct {
	Nodes   int     `json:"nodes"`
	What    string  `json:"what"`
	Seconds float64 `json:"seconds"`

	Requests     int   `json:"requests"`
	Connections  int   `json:"connections"`
	StatusWrites int   `json:"statusWrites"`
	StatusBytes  int   `json:"statusBytes"`
	APIRequests  int   `json:"apiRequests"`
	Leases       int   `json:"leases"`
	Allocated    int64 `json:"allocated"`

	CPU       float64 `json:"cpu"`
	Resident  float64 `json:"residentMiB"`
	Anonymous float64 `json:"anonymousMiB"`
	Peak      float64 `json:"peakMiB"`

	// Links, Ready and Status are how many seconds after the last pod's containers became
	// ready, or the last pod went, the links stood, the last pod was ready as well, for which
	// the operator opens a gate, and the status said so.
	Links  *float64 `json:"links,omitempty"`
	Ready  *float64 `json:"ready,omitempty"`
	Status *float64 `json:"status,omitempty"`
	// Others is within how many seconds another network of the same operator was looked at
	// in 95 of 100 cases.
	Others *float64 `json:"others,omitempty"`
}

// looks is how often each node was asked, in a window in which nothing else happens.
func (w window) looks() float64 { return float64(w.Requests) / float64(w.Nodes) }

// tenants is what the operators of many tenants did, each with a network of 3 nodes.
type tenants struct {
	Operators     int     `json:"operators"`
	Seconds       float64 `json:"seconds"`
	Cores         float64 `json:"cores"`
	Proportional  float64 `json:"proportionalMiB"`
	Resident      float64 `json:"residentMiB"`
	APIRequests   int     `json:"apiRequests"`
	Leases        int     `json:"leases"`
	StatusWrites  int     `json:"statusWrites"`
	NodesRequests int     `json:"requests"`
}

// meshing is what the algorithm of the controller of 2019 did.
type meshing struct {
	Nodes    int     `json:"nodes"`
	What     string  `json:"what"`
	Requests int     `json:"requests"`
	Links    float64 `json:"links"`
	// Pairs is how many pairs of nodes were linked in the end.
	Pairs int `json:"pairs"`
	// Rests is how many seconds after the last pod's containers became ready it made its last request.
	Rests float64 `json:"rests"`
}

// of returns the windows of a network of that size in which that happens.
func (r results) of(nodes int, what string) []window {
	var found []window
	for _, w := range r.Windows {
		if w.Nodes == nodes && w.What == what {
			found = append(found, w)
		}
	}
	return found
}

// sizes are those of the networks that were measured, the smallest first.
func (r results) sizes() []int {
	var sizes []int
	for _, w := range r.Windows {
		sizes = append(sizes, w.Nodes)
	}
	slices.Sort(sizes)
	return slices.Compact(sizes)
}

// median is the middle value, of an even number the lower of the two.
func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[(len(sorted)-1)/2]
}

func (r results) write(file string) error {
	content, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(content, '\n'), 0o644)
}

func readResults(file string) (results, error) {
	var r results
	content, err := os.ReadFile(file)
	if err != nil {
		return r, err
	}
	if err := json.Unmarshal(content, &r); err != nil {
		return r, fmt.Errorf("read %s: %w", file, err)
	}
	return r, nil
}

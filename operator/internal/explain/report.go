// Package explain says why a network is not as it should be: it follows the chain of
// causes from the commit to the nodes, and names what is wrong, since when, and what to do
// next. It is pure: objects as they were read in, findings out.
package explain

import (
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Level is what a finding means for the network.
// The values are part of what "kubectl btcnet status -o json" prints.
type Level string

const (
	// OK: this is as it should be.
	OK Level = "OK"
	// Note: the network does not suffer, and somebody may want to know.
	Note Level = "Note"
	// Waiting: this is not as it should be yet, and goes on by itself.
	Waiting Level = "Waiting"
	// Problem: this stays as it is until somebody acts, or should not be so.
	Problem Level = "Problem"
	// Unknown: it could not be found out.
	Unknown Level = "Unknown"
)

// Step is a link in the chain of causes.
type Step string

// The steps, in the order in which one may be the cause of the next.
const (
	Tenant       Step = "Tenant"
	Source       Step = "Source"
	Commit       Step = "Commit"
	SealedSecret Step = "SealedSecret"
	Operator     Step = "Operator"
	Itself       Step = "Network"
	Credentials  Step = "Credentials"
	Storage      Step = "Storage"
	Objects      Step = "Objects"
	Nodes        Step = "Nodes"
	Links        Step = "Links"
	Tips         Step = "Tips"
	Sync         Step = "Sync"
	Versions     Step = "Versions"
	Primary      Step = "Primary"
	Rollout      Step = "Rollout"
	Requests     Step = "Requests"
	Events       Step = "Events"
)

// causes are the steps that each may follow from, the likeliest first.
var causes = map[Step][]Step{
	Source:      {Tenant},
	Commit:      {Tenant, Source, SealedSecret},
	Itself:      {Commit, Operator},
	Credentials: {SealedSecret, Operator},
	Objects:     {Credentials, Itself, Operator},
	Nodes:       {Objects, Credentials},
	Links:       {Nodes, Credentials},
	Tips:        {Links, Nodes},
	Sync:        {Nodes, Links, Tips},
	Primary:     {Nodes},
	Rollout:     {Objects, Nodes, Links, Credentials},
}

// Report is how a network stands, and why.
type Report struct {
	Namespace string `json:"namespace"`
	// Network is its name; empty where the namespace has none, and none was asked for.
	Network string `json:"network,omitempty"`
	// Healthy is whether nothing is found that is wrong or waited for.
	Healthy bool   `json:"healthy"`
	Chain   string `json:"chain,omitempty"`
	Nodes   int32  `json:"nodes"`
	// Ready and Connected are how many nodes answer, and how many links stand, as "2/3".
	Ready     string `json:"ready,omitempty"`
	Connected string `json:"links,omitempty"`
	Height    *int64 `json:"height,omitempty"`
	// Status is the reason of the condition Ready.
	Status   string    `json:"status,omitempty"`
	Findings []Finding `json:"findings"`
}

// Finding is what is found at a step.
type Finding struct {
	Step  Step  `json:"step"`
	Level Level `json:"level"`
	// Reason is the reason of the condition or event that says so.
	Reason  string `json:"reason,omitempty"`
	Message string `json:"message"`
	// Since is since when it is so.
	Since *metav1.Time `json:"since,omitempty"`
	// Cause is the step that this follows from; empty for what has to be mended itself.
	Cause Step `json:"cause,omitempty"`
	// Remedy is what to do about it.
	Remedy *Remedy `json:"remedy,omitempty"`
}

// Remedy is what to do next.
type Remedy struct {
	// Do is a sentence.
	Do string `json:"do"`
	// Command is one that does it, or that tells more.
	Command string `json:"command,omitempty"`
	// Doc is where more is written, in the project's folder.
	Doc string `json:"doc,omitempty"`
}

// IsWrong reports whether a finding keeps its network from being healthy.
func (f Finding) IsWrong() bool { return f.Level == Problem || f.Level == Waiting }

// IsRoot reports whether a finding is where to begin, and no other step's doing.
func (f Finding) IsRoot() bool { return f.IsWrong() && f.Cause == "" }

// link names for each finding the step that it follows from. What goes on by itself is no
// reason for what does not.
func link(findings []Finding) {
	for i, finding := range findings {
		if !finding.IsWrong() {
			continue
		}
		explains := func(step Step) bool {
			return slices.ContainsFunc(findings, func(f Finding) bool {
				return f.Step == step && (f.Level == Problem || f.Level == Waiting && finding.Level == Waiting)
			})
		}
		if at := slices.IndexFunc(causes[finding.Step], explains); at >= 0 {
			findings[i].Cause = causes[finding.Step][at]
		}
	}
}

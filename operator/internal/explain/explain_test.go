package explain_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/explain"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/explain/explaintest"
)

// What each trouble comes from, as "step: reason", and of that first one what the remedy
// names. How it reads is in the golden texts of package btcnet.
func TestWhatIsWrong(t *testing.T) {
	wants := map[string]struct {
		roots  []string
		remedy string
	}{
		"healthy":                {},
		"made-by-hand":           {},
		"split":                  {[]string{"Links: Split"}, "kubectl get pods -l bitcoin-operator.github.io/network=payments -n team-a -o wide"},
		"sealed-elsewhere":       {[]string{"SealedSecret: NotSynced"}, "kubectl describe sealedsecret -n team-a"},
		"sealed-secret-outdated": {[]string{"SealedSecret: NotSynced"}, "kubectl describe sealedsecret -n team-a"},
		"not-decrypted":          {[]string{"Commit: BuildFailed", "Credentials: SecretNotFound"}, "kubectl describe kustomization"},
		"not-fetched":            {[]string{"Credentials: SecretNotFound"}, "kubectl describe externalsecret bitcoin-rpc -n team-a docs/secrets.md#external-secrets"},
		"no-quota":               {[]string{"Objects: FailedCreate"}, "kubectl describe quota -n team-a"},
		"wrong-image":            {[]string{"Nodes: ImagePullBackOff"}, "spec.image"},
		"no-entry-point":         {[]string{"Nodes: Init:ImagePullBackOff"}, "the operator's image"},
		"crashes":                {[]string{"Nodes: CrashLoopBackOff"}, "kubectl logs payments-2 -n team-a --previous --tail=20"},
		"starting":               {[]string{"Nodes: Starting"}, "kubectl btcnet logs payments -n team-a --since=5m"},
		"suspended":              {[]string{"Network: Suspended"}, "kubectl btcnet resume payments -n team-a"},
		"suspended-in-git":       {[]string{"Network: Suspended"}, "Git has spec.suspend: true"},
		"rollout-waits":          {[]string{"Rollout: Rolling"}, "docs/troubleshooting.md#a-node-waits"},
		"rollout-blocked":        {[]string{"Rollout: RolloutBlocked"}, "when somebody acts"},
		"fork":                   {[]string{"Tips: Fork"}, "kubectl btcnet mine payments 1 -n team-a"},
		"downloading":            {}, // Ready waits for no download
		"block-rejected":         {[]string{"Sync: BlockRejected"}, "kubectl btcnet logs payments"},
		"request-failed":         {}, // the network does not suffer
		"source-fails":           {[]string{"Source: GitOperationFailed"}, "kubectl describe gitrepository -n team-a"},
		"commit-refused":         {[]string{"Commit: ReconciliationFailed"}, "Nothing of that commit was applied"},
		"never-applied":          {[]string{"Commit: ReconciliationFailed"}, "Nothing of that commit was applied"},
		"commit-pending":         {[]string{"Commit: Pending"}, "within seconds"},
		"no-operator":            {[]string{"Operator: OperatorAway"}, "Ask the platform team"},
		"operator-crashes":       {[]string{"Operator: OperatorAway", "Nodes: NodesNotReady"}, "Ask the platform team"},
		"not-observed":           {[]string{"Operator: NotObserved"}, "kubectl logs -l app.kubernetes.io/name=bitcoin-operator -n team-a --tail=20"},
		"new":                    {[]string{"Network: NotObserved"}, "kubectl logs"},
		"frozen":                 {[]string{"Tenant: Frozen"}, "docs/security.md#freezing-a-team"},
		"conflict":               {[]string{"Network: Conflict"}, "another name"},
		"mining-fails":           {}, // Ready all the same
		"volumes":                {[]string{"Storage: QuotaExceeded"}, "docs/troubleshooting.md#volumes-do-not-grow"},
		"unread":                 {}, // as far as anybody can tell
		"hostile":                {},
		"deleted":                {[]string{"Network: Deleted"}, "until everything that it owns is gone"},
	}
	for _, test := range explaintest.Cases {
		NewWithT(t).Expect(wants).To(HaveKey(test.Name))
	}
	for name, want := range wants {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			test := named(g, name)
			report := explain.Network(test.Seen(), test.Asked())
			var roots []string
			var remedy string
			for _, finding := range report.Findings {
				if !finding.IsRoot() {
					continue
				}
				if len(roots) == 0 {
					remedy = fmt.Sprintf("%s %s %s", finding.Remedy.Do, finding.Remedy.Command, finding.Remedy.Doc)
				}
				roots = append(roots, fmt.Sprintf("%s: %s", finding.Step, finding.Reason))
			}
			g.Expect(roots).To(Equal(want.roots))
			g.Expect(remedy).To(ContainSubstring(want.remedy))
			g.Expect(report.Healthy).To(Equal(len(want.roots) == 0))
		})
	}
}

func named(g Gomega, name string) explaintest.Case {
	at := slices.IndexFunc(explaintest.Cases, func(test explaintest.Case) bool { return test.Name == name })
	g.Expect(at).To(BeNumerically(">=", 0), name)
	return explaintest.Cases[at]
}

// A network that is not Ready is not called healthy, whatever the reason, also one that a
// later operator has.
func TestNotReadyIsNotHealthy(t *testing.T) {
	g := NewWithT(t)
	for _, status := range []metav1.ConditionStatus{metav1.ConditionFalse, metav1.ConditionUnknown} {
		for _, reason := range []string{
			v1alpha1.ConflictReason, v1alpha1.InvalidReason, v1alpha1.RollingReason, v1alpha1.RolloutBlockedReason, v1alpha1.SuspendedReason,
			v1alpha1.NodesNotReadyReason, v1alpha1.SplitReason, v1alpha1.WaitingForCredentialsReason, "Failed", "Progressing", "SomethingNew",
		} {
			seen := named(g, "healthy").Seen()
			for i := range seen.Networks[0].Status.Conditions {
				if condition := &seen.Networks[0].Status.Conditions[i]; condition.Type == "Ready" {
					condition.Status, condition.Reason, condition.Message = status, reason, "something"
				}
			}
			g.Expect(explain.Network(seen, "payments").Healthy).To(BeFalse(), "%s %s", status, reason)
		}
	}
}

// Whatever is wrong has a remedy, and what that points to is there.
func TestRemediesLeadSomewhere(t *testing.T) {
	g := NewWithT(t)
	for _, test := range explaintest.Cases {
		for _, finding := range explain.Network(test.Seen(), test.Asked()).Findings {
			if finding.IsWrong() {
				g.Expect(finding.Remedy).NotTo(BeNil(), "%s: %s", test.Name, finding.Step)
			}
		}
	}
	for _, remedy := range explain.Remedies() {
		g.Expect(remedy.Do).To(MatchRegexp(`^[^a-z].*\.$`), "a sentence")
		if remedy.Doc != "" {
			g.Expect(headings(g, remedy.Doc)).To(ContainElement(remedy.Doc))
		}
	}
}

// headings returns the addresses of a page, and of what is in it.
func headings(g Gomega, doc string) []string {
	page, _, _ := strings.Cut(doc, "#")
	content, err := os.ReadFile(filepath.Join("../../..", page))
	g.Expect(err).NotTo(HaveOccurred())
	found := []string{page}
	for _, heading := range regexp.MustCompile(`(?m)^#+ (.*)$`).FindAllStringSubmatch(string(content), -1) {
		anchor := strings.Map(func(r rune) rune {
			switch {
			case r == ' ':
				return '-'
			case r == '-', unicode.IsLetter(r), unicode.IsDigit(r):
				return unicode.ToLower(r)
			default:
				return -1
			}
		}, heading[1])
		found = append(found, page+"#"+anchor)
	}
	return found
}

// People see no Secret, and nothing that is told here is from one. What others say cannot
// have a terminal do anything.
func TestWhatOthersSayIsOneLine(t *testing.T) {
	g := NewWithT(t)
	seen := named(g, "hostile").Seen()
	seen.Tenant = &corev1.ConfigMap{Data: map[string]string{"frozen": "true\x1b[2J"}}
	told, err := json.Marshal(explain.Network(seen, "payments"))
	g.Expect(err).NotTo(HaveOccurred())
	for _, control := range []string{`\u001b`, `\u0007`, `\r`, `\n`, "\u202e"} {
		g.Expect(string(told)).NotTo(ContainSubstring(control))
	}
}

func TestSetBy(t *testing.T) {
	g := NewWithT(t)
	network := &named(g, "suspended-in-git").Seen().Networks[0]
	g.Expect(explain.SetBy(network, explain.FluxManager, "spec", "suspend")).To(BeTrue())
	g.Expect(explain.SetBy(network, "kubectl", "spec", "suspend")).To(BeFalse())
	g.Expect(explain.SetBy(network, explain.FluxManager, "spec", "image")).To(BeFalse())
}

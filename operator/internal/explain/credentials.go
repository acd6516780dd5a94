package explain

import (
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
)

// sealed says whether the network's SealedSecret was opened; while there is no network,
// whether all of them were.
func sealed(s *subject) []Finding {
	if s.network != nil && s.network.Spec.Secret == "" {
		return nil
	}
	if found, missing := s.unread(SealedSecret, "sealedsecrets"); missing && elsewhere[s.secretFrom()] == nil {
		return found
	}
	var findings []Finding
	for _, one := range s.SealedSecrets {
		if s.network == nil || one.GetName() == s.network.Spec.Secret {
			findings = append(findings, opened(one))
		}
	}
	if len(findings) == 0 && s.network != nil && elsewhere[s.secretFrom()] == nil {
		return one(SealedSecret, Note, "NotSealed", fmt.Sprintf("there is no SealedSecret %s: if there is a Secret, it comes from elsewhere", s.network.Spec.Secret))
	}
	return findings
}

// secretFrom is where the platform says that the one Secret comes from.
func (s *subject) secretFrom() string {
	if s.Tenant == nil {
		return ""
	}
	return s.Tenant.Data["secretFrom"]
}

func opened(sealed unstructured.Unstructured) Finding {
	synced := conditionOf(sealed, "Synced")
	switch {
	case synced == nil:
		return Finding{Step: SealedSecret, Level: Waiting, Message: sealed.GetName() + " has not been unsealed yet"}
	case synced.Status != metav1.ConditionTrue:
		found := finding(SealedSecret, Problem, synced)
		found.Reason = "NotSynced" // sealed-secrets has none
		found.Message = fmt.Sprintf("%s could not be unsealed or applied: %s", sealed.GetName(), synced.Message)
		return found
	default:
		return Finding{Step: SealedSecret, Level: OK, Message: sealed.GetName() + " is unsealed"}
	}
}

// credentials repeats what the operator says of the Secret, which people may not read.
func credentials(s *subject) []Finding {
	condition := s.condition(v1alpha1.CredentialsReadyCondition)
	if condition == nil {
		return nil
	}
	return []Finding{finding(Credentials, levelOfCredentials(condition), condition)}
}

func levelOfCredentials(condition *metav1.Condition) Level {
	switch {
	case condition.Status == metav1.ConditionFalse:
		return Problem
	case condition.Status == metav1.ConditionUnknown:
		return Unknown
	}
	switch condition.Reason {
	case v1alpha1.RotatingReason, v1alpha1.RotatedReason, v1alpha1.SecretOutdatedReason, v1alpha1.UsersRejectedReason:
		return Note
	default:
		return OK
	}
}

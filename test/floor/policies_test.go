package floor

import (
	"testing"

	. "github.com/onsi/gomega"
	admissionv1 "k8s.io/api/admissionregistration/v1"
	plugincel "k8s.io/apiserver/pkg/admission/plugin/cel"
	"k8s.io/apiserver/pkg/admission/plugin/policy/validating"
	"k8s.io/apiserver/pkg/admission/plugin/webhook/matchconditions"
	"k8s.io/apiserver/pkg/cel/environment"
)

// A policy of which one expression does not compile is rejected, and Flux applies none of
// the others.
func TestFloorCompilesThePolicies(t *testing.T) {
	g := NewWithT(t)
	policies := admissionPolicies(g)
	g.Expect(policies).NotTo(BeEmpty())
	for _, policy := range policies {
		t.Run(policy.Name, func(t *testing.T) {
			compiler := newCompiler(NewWithT(t))
			for _, expression := range expressions(policy.Spec) {
				if err := expression.compile(compiler, environment.NewExpressions).Error; err != nil {
					t.Errorf("%s: %s: %v", expression.where, expression.GetExpression(), err)
				}
			}
		})
	}
}

// These tests do have the libraries of the floor.
func TestFloorHasNoFunctionsOfLaterVersions(t *testing.T) {
	for _, function := range []string{
		"[[1]].flatten() == [1]",       // Kubernetes 1.34
		"ip('127.0.0.1').isLoopback()", // 1.30, which has it for what is stored, not for what is new
	} {
		g := NewWithT(t)
		later := expression{"", &validating.ValidationCondition{Expression: function}, plugincel.OptionalVariableDeclarations{HasAuthorizer: true}}
		g.Expect(later.compile(newCompiler(g), environment.NewExpressions).Error).NotTo(BeNil(), function)
	}
}

func admissionPolicies(g Gomega) []*admissionv1.ValidatingAdmissionPolicy {
	all, err := manifests()
	g.Expect(err).NotTo(HaveOccurred())
	var policies []*admissionv1.ValidatingAdmissionPolicy
	for _, manifest := range all {
		if manifest.kind.Kind != "ValidatingAdmissionPolicy" {
			continue
		}
		object, err := manifest.object()
		g.Expect(err).NotTo(HaveOccurred())
		policies = append(policies, object.(*admissionv1.ValidatingAdmissionPolicy))
	}
	return policies
}

func newCompiler(g Gomega) *plugincel.CompositedCompiler {
	compiler, err := plugincel.NewCompositedCompiler(environment.MustBaseEnvSet(environment.DefaultCompatibilityVersion(), false))
	g.Expect(err).NotTo(HaveOccurred())
	return compiler
}

// expression is one of a policy's, with where it is and what it may name besides the
// policy's variables.
type expression struct {
	where string
	plugincel.ExpressionAccessor
	names plugincel.OptionalVariableDeclarations
}

// compile also stores a variable, for the expressions that come after it.
func (e expression) compile(compiler *plugincel.CompositedCompiler, env environment.Type) plugincel.CompilationResult {
	if variable, ok := e.ExpressionAccessor.(plugincel.NamedExpressionAccessor); ok {
		return compiler.CompileAndStoreVariable(variable, e.names, env)
	}
	return compiler.CompileCELExpression(e, e.names, env)
}

// expressions are all of a policy's, in the order in which the API server compiles them:
// conditions know no variables.
func expressions(policy admissionv1.ValidatingAdmissionPolicySpec) []expression {
	var all []expression
	add := func(where string, accessor plugincel.ExpressionAccessor, authorizer bool) {
		all = append(all, expression{where, accessor, plugincel.OptionalVariableDeclarations{HasParams: policy.ParamKind != nil, HasAuthorizer: authorizer}})
	}
	for _, condition := range policy.MatchConditions {
		accessor := matchconditions.MatchCondition(condition)
		add("matchConditions", &accessor, true)
	}
	for _, variable := range policy.Variables {
		add("variables", &validating.Variable{Name: variable.Name, Expression: variable.Expression}, true)
	}
	for _, validation := range policy.Validations {
		add("validations", &validating.ValidationCondition{Expression: validation.Expression, Message: validation.Message}, true)
		if validation.MessageExpression != "" {
			add("messageExpressions", &validating.MessageExpressionCondition{MessageExpression: validation.MessageExpression}, false)
		}
	}
	for _, annotation := range policy.AuditAnnotations {
		add("auditAnnotations", &validating.AuditAnnotationCondition{Key: annotation.Key, ValueExpression: annotation.ValueExpression}, true)
	}
	return all
}

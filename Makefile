# `make help` lists the targets.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# One set of flags for everything, so that the product, its tests and the local
# cluster share one Go build cache: each package is compiled once.
export CGO_ENABLED := 0
export GOFLAGS := -trimpath -buildvcs=false

# Targets depend on each other's effects on the machine.
.NOTPARALLEL:

LOCAL := $(CURDIR)/.local
CLUSTER := $(LOCAL)/bin/cluster
KUBECTL := $(LOCAL)/bin/kubectl
LND := $(LOCAL)/lnd
BTCNET := $(LOCAL)/bin/kubectl-btcnet
PACKAGES = $$(go list ./... | grep -v /test/e2e)
BENCH = KUBEBUILDER_ASSETS="$${KUBEBUILDER_ASSETS:-$(LOCAL)/bin}" go run ./test/bench
# Modules of their own, whose dependencies are not the product's.
MODULES := operator/cmd/release test/application test/cluster test/floor test/isolation

CONTROLLER_GEN := sigs.k8s.io/controller-tools/cmd/controller-gen@v0.23.0
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
GOLANGCI_LINT := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
KUBECONFORM := github.com/yannh/kubeconform/cmd/kubeconform@v0.8.0
# The OpenAPI document of the Kubernetes that the local cluster runs.
OPENAPI = $$(go -C test/cluster/parts mod download -json k8s.io/kubernetes | sed -n 's/.*"Dir": "\(.*\)".*/\1/p')/api/openapi-spec/swagger.json
SCHEMAS := $(LOCAL)/schemas/{{.Group}}/{{.ResourceKind}}_{{.ResourceAPIVersion}}.json
GOVULNCHECK := golang.org/x/vuln/cmd/govulncheck@v1.9.0
# What was known on a day. The database comes as a module, so that the check says the
# same wherever it runs.
VULNDB := golang.org/x/vulndb@v0.0.0-20261105234957-e22db6528018
VERSION_PACKAGE := github.com/bitcoin-operator/bitcoin-operator/operator/internal/version
SEALED_SECRETS := github.com/bitnami-labs/sealed-secrets@v0.40.0
SEALED_SECRETS_CRD = $$(go mod download -json $(SEALED_SECRETS) | sed -n 's/.*"Dir": "\(.*\)".*/\1/p')/helm/sealed-secrets/crds/bitnami.com_sealedsecrets.yaml

# The rules as the Prometheus Operator's kind has them.
PROMETHEUS_RULE = { printf '%s\n' '\# make generate writes this, of ../rules/rules.yaml.' 'apiVersion: monitoring.coreos.com/v1' \
	'kind: PrometheusRule' 'metadata:' '  name: bitcoin' 'spec:' && sed '/^\#/d; s/^./  &/' gitops/monitoring/rules/rules.yaml; }

##@ The two commands

.PHONY: demo
demo: cluster-up images ## Start a cluster; let two teams commit a network each; show both at work.
	go run ./test/demo

.PHONY: test
test: lint assets manifests ## Run the linters, the unit tests, and the tests against a real API server and bitcoind.
	KUBEBUILDER_ASSETS="$${KUBEBUILDER_ASSETS:-$(LOCAL)/bin}" TEST_BITCOIND=$(LOCAL)/bin/bitcoind TEST_PROMETHEUS=$(LOCAL)/bin/prometheus \
		go test -count=1 $(PACKAGES)
	for module in $(MODULES); do KUBECONFIG= TEST_BITCOIND=$(LOCAL)/bin/bitcoind go -C $$module test -count=1 ./...; done

##@ Development

.PHONY: unit
unit: ## Run the tests that need no API server: seconds, no root.
	go test -short $(PACKAGES)

.PHONY: bench
bench: assets ## Measure what the operator costs; FULL=1 also with 1000 nodes and 100 tenants, RECORD=1 for the documentation.
	$(BENCH) -mode=$(if $(FULL),full,quick) $(if $(RECORD),-record)

.PHONY: bench-counts
bench-counts: assets ## Hold what the operator asks, writes and allocates to its budgets; no times.
	$(BENCH) -mode=counts

.PHONY: e2e
e2e: $(CLUSTER) $(BTCNET) ## Run the end-to-end suite on the local cluster, which it starts, and stops again, if need be.
	CLUSTER=$(CLUSTER) go test -short -count=1 -timeout=70m -v ./test/e2e

.PHONY: e2e-slow
e2e-slow: $(CLUSTER) $(BTCNET) ## Run the end-to-end tests that take many minutes each.
	CLUSTER=$(CLUSTER) go test -count=1 -timeout=90m -v -run=TestSlow ./test/e2e

.PHONY: e2e-lnd
e2e-lnd: $(CLUSTER) $(BTCNET) assets ## Build LND, and run it against a node, and in the local cluster against a network: minutes, and ten more at first.
	@mkdir -p $(LND)
	go -C test/lnd build -ldflags='-s -w' -o $(LND)/ tool
	TEST_LND=$(LND) TEST_BITCOIND=$(LOCAL)/bin/bitcoind go test -count=1 -v -run=LND ./operator/internal/bitcoind/bitcoindtest
	CLUSTER=$(CLUSTER) TEST_LND=$(LND) go test -count=1 -timeout=45m -v -run=LND ./test/e2e

# What every bitcoind has to do: start, peer, mine, keep the chain, take passwords and
# users, notify, and end.
CONFORMANCE := TestAnyImageWithBitcoind|TestEveryField|TestNetworkGrowsAndShrinks|TestDeletedPodIsPeeredAgain|TestNodeThatHangs|TestSecretComesLate|TestDefaultCredentials|TestPasswordChangesUnderAClient|TestUserOfSomeMethods|TestBlocksAreMinedRegularly|TestFreshNetworkHasTheBlockThatItNeedsToRelay|TestImageChangeKeepsEveryBlock|TestOneNodeKeepsItsChainThroughAnImageChange|TestPeopleGetBlocksAndCoins|TestPrivateSignet|TestPublicChainsStartOffline

.PHONY: conformance
conformance: $(CLUSTER) $(BTCNET) ## Run the core of the end-to-end suite with another image: IMAGE=docker.io/bitcoin/bitcoin:32.1
	@test -n "$(IMAGE)" || { echo "name the image: make conformance IMAGE=…"; exit 1; }
	CONFORMANCE_IMAGE=$(IMAGE) CLUSTER=$(CLUSTER) go test -short -count=1 -timeout=60m -v -run='^($(CONFORMANCE))$$' ./test/e2e

.PHONY: lint
lint: ## Check formatting, go vet, staticcheck and the generated files.
	@files=$$(git ls-files '*.go') && unformatted=$$(gofmt -l $$files) && test -z "$$unformatted" \
		|| { echo "gofmt would change: $$unformatted"; exit 1; }
	for module in . $(MODULES); do go -C $$module vet ./...; done
	for module in . $(MODULES); do go -C $$module run $(STATICCHECK) ./...; done
	@$(MAKE) --no-print-directory check-generated

.PHONY: golangci
golangci: ## Run more linters, among them one that holds the layers of CONTRIBUTING.md: minutes to build at first.
	for module in . $(MODULES); do go -C $$module run $(GOLANGCI_LINT) run; done

.PHONY: manifests
manifests: assets ## Check that everything that Flux is pointed at builds and fits its schema, and what alerts go by.
	@rm -rf $(LOCAL)/schemas $(LOCAL)/manifests && mkdir -p $(LOCAL)/manifests
	@go run ./test/schemas $(LOCAL)/schemas "$(OPENAPI)" gitops/crds gitops/infrastructure/sealed-secrets/crd.yaml $(LOCAL)/crds/flux
	@for folder in gitops/clusters/* gitops/clusters/*/flux-tenants gitops/clusters/*/sealed-secrets gitops/clusters/*/tenants gitops/crds gitops/policies gitops/infrastructure/* gitops/monitoring/*/; do \
		case $$folder in gitops/clusters/base*) continue;; esac; \
		$(KUBECTL) kustomize $$folder >$(LOCAL)/manifests/$${folder//\//_}.yaml || { echo "$$folder does not build"; exit 1; }; \
	done
	@go run $(KUBECONFORM) -strict -skip PodMonitor,PrometheusRule -schema-location '$(SCHEMAS)' $(LOCAL)/manifests test/fleet/seeds
	@$(LOCAL)/bin/promtool test rules test/monitoring/*_test.yaml
	@route() { test "$$($(LOCAL)/bin/amtool config routes test --config.file=gitops/monitoring/alertmanager.yaml "$${@:2}" 2>/dev/null)" = "$$1" || { echo "an alert with $${*:2} does not reach $$1"; exit 1; }; }; \
		$(LOCAL)/bin/amtool check-config gitops/monitoring/alertmanager.yaml >/dev/null && \
		route team namespace=team-a owner=team severity=critical && route platform namespace=team-a owner=platform severity=critical && route nobody namespace=team-a owner=team severity=info

.PHONY: generate
generate: ## Write what is generated: deepcopy functions, resource definitions, docs/reference.md and the PrometheusRule.
	go run $(CONTROLLER_GEN) object crd paths=./api/... output:crd:dir=gitops/crds
	go run ./operator/internal/reference . docs/reference.md
	install -m 644 "$(SEALED_SECRETS_CRD)" gitops/infrastructure/sealed-secrets/crd.yaml
	$(PROMETHEUS_RULE) >gitops/monitoring/prometheus-operator/rules.yaml

.PHONY: check-generated
check-generated:
	@rm -rf $(LOCAL)/generated && mkdir -p $(LOCAL)/generated
	@go run $(CONTROLLER_GEN) object crd paths=./api/... output:object:dir=$(LOCAL)/generated output:crd:dir=$(LOCAL)/generated
	@go run ./operator/internal/reference . $(LOCAL)/generated/reference.md
	@diff api/v1alpha1/zz_generated.deepcopy.go $(LOCAL)/generated/ \
		&& diff gitops/crds/bitcoin-operator.github.io_bitcoinnetworks.yaml $(LOCAL)/generated/ \
		&& diff gitops/crds/bitcoin-operator.github.io_bitcoinrequests.yaml $(LOCAL)/generated/ \
		&& diff docs/reference.md $(LOCAL)/generated/ \
		&& diff gitops/infrastructure/sealed-secrets/crd.yaml "$(SEALED_SECRETS_CRD)" \
		&& $(PROMETHEUS_RULE) | diff gitops/monitoring/prometheus-operator/rules.yaml - \
		|| { echo "generated files are not current: run make generate"; exit 1; }

##@ Releases

# Releases have the Go whose standard library has no vulnerability that is known; all else
# takes the one that is installed.
RELEASE_GO := go1.26.10
build release vuln: export GOTOOLCHAIN := $(RELEASE_GO)

.PHONY: build
build: ## Build the programs that the Dockerfile copies, into .local/image. VERSION= says which they are.
	GOOS=linux go build -ldflags='-s -w $(if $(VERSION),-X $(VERSION_PACKAGE).version=$(VERSION) -X $(VERSION_PACKAGE).revision=$(shell git rev-parse HEAD))' \
		-o $(LOCAL)/image/ ./operator/cmd/operator ./operator/cmd/publish-certificate ./operator/cmd/bitcoind-start

.PHONY: release
release: ## Build a release into dist/, which must not exist, and sign it: VERSION=v0.2.0 KEY=path/to/cosign.key
	go -C operator/cmd/release run . build --version=$(VERSION) --key=$(abspath $(KEY)) --root=$(CURDIR) --out=$(CURDIR)/dist

.PHONY: vuln
vuln: ## Look for known vulnerabilities in what a release has. For a newer list: VULNDB=golang.org/x/vulndb@latest
	go run $(GOVULNCHECK) -db file://$$(go mod download -json $(VULNDB) | sed -n 's/.*"Dir": "\(.*\)".*/\1/p')/data/osv ./operator/...

.PHONY: pin
pin: ## Write the digests of tags into the images of gitops/clusters/production, as their registries say.
	go -C operator/cmd/release run . pin $(CURDIR)/gitops/clusters/production/tenants/kustomization.yaml $(CURDIR)/gitops/clusters/production/sealed-secrets/kustomization.yaml

##@ The local cluster

.PHONY: cluster-up
cluster-up: $(CLUSTER) ## Start the local cluster, building what it lacks.
	$(CLUSTER) up

.PHONY: images
images: $(CLUSTER) ## Build the project's images, and load them if the cluster is up.
	$(CLUSTER) images

.PHONY: demo-down
demo-down: $(CLUSTER) ## Remove everything that the demo has started.
	$(CLUSTER) down

.PHONY: assets
assets: $(CLUSTER)
	$(CLUSTER) build kubernetes etcd bitcoin-knots prometheus crds

.PHONY: $(CLUSTER)
$(CLUSTER):
	@mkdir -p $(LOCAL)/bin
	@go -C test/cluster build -o $@ .

.PHONY: $(BTCNET)
$(BTCNET):
	@mkdir -p $(LOCAL)/bin
	@go build -o $@ ./operator/cmd/kubectl-btcnet

.PHONY: help
help: ## Show this help.
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} /^[a-z0-9-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

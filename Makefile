# What people type. The work is done by the programs under scripts/.
.DEFAULT_GOAL := help
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
ROOMS := functions shared eventing knative scripts
WEB := functions/frontend/web

.PHONY: help run reset test lint fmt build docs bench chaos mutants cluster-test

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## Run the whole product on this machine, with a demonstration village
	@go run ./scripts/run

reset: ## Forget the data of make run
	rm -rf .run

test: ## Test everything: units, functions on PostgreSQL, end to end, the web application in Chromium
	@go run ./scripts/test

lint: ## Check format, vet, staticcheck and TypeScript
	@files=$$(gofmt -l $(ROOMS)); test -z "$$files" || { echo "not formatted, see make fmt:"; echo "$$files"; exit 1; }
	go vet ./...
	go run $(STATICCHECK) $(ROOMS:%=./%/...)
	cd $(WEB) && { test -d node_modules || npm ci --no-audit --no-fund; } && npm run typecheck

fmt: ## Format the Go code
	gofmt -w $(ROOMS)

build: ## Compile every program into bin/, the web application first
	@go run ./scripts/build -o bin

docs: ## Generate the JSON Schemas, the AsyncAPI and the OpenAPI documents
	go run ./scripts/docs
	go run ./functions/gateway openapi > .openapi && mv .openapi functions/gateway/openapi.json

bench: ## Measure the product against bare programs, as ratios
	@go run ./scripts/bench

chaos: ## Kill functions, relay, adapters and servers during lots of bills (LOT=100000 contracts)
	go test -count=1 -v -timeout 60m -run TestKills ./scripts/e2e -contrats $(or $(LOT),2000)

mutants: ## Put deliberate bugs into billing runs, each in a copy, and see a test fail
	@go run ./scripts/mutants

cluster-test: ## Deploy to the empty cluster of KUBECONFIG, walk the road there, run every drill (ARGS="-reset", "-keep")
	@go run ./scripts/clustertest $(ARGS)

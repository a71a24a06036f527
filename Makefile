GO ?= go
export CGO_ENABLED = 0

.PHONY: run test bench lint build generate

build: ## the trainer binary in bin/
	$(GO) build -trimpath -o bin/trainer ./cmd/trainer

run: build ## trains a digit classifier on the embedded data and evaluates it
	bin/trainer train --config quickstart --output runs/quickstart
	bin/trainer eval --checkpoint runs/quickstart

test: ## every test; those that need data beyond the repository say so when they skip
	$(GO) vet ./...
	$(GO) test -timeout 20m ./...

bench: ## benchmarks of every kernel family
	$(GO) test -run '^$$' -bench . -benchmem ./cpu/... ./graph/... ./data/... ./train/...

lint: ## vet and staticcheck
	$(GO) vet ./...
	$(GO) run honnef.co/go/tools/cmd/staticcheck@v0.8.2 ./...

generate: ## rewrites the assembly in cpu/ from its generator
	$(GO) generate ./...

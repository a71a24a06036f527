GO ?= go
# How long each benchmark runs; longer is steadier.
BENCHTIME ?= 200ms
export CGO_ENABLED = 0

.PHONY: run test bench lint build generate models-table

build: ## the trainer binary in bin/
	$(GO) build -trimpath -o bin/trainer ./cmd/trainer

run: build ## trains a digit classifier on the embedded data and evaluates it
	bin/trainer train --config quickstart --output runs/quickstart
	bin/trainer eval --checkpoint runs/quickstart

test: ## every test; those that need data beyond the repository say so when they skip
	$(GO) vet ./...
	$(GO) test -timeout 20m ./...

bench: ## benchmarks of every kernel family
	$(GO) test -run '^$$' -bench . -benchmem -benchtime $(BENCHTIME) -timeout 1h ./cpu/... ./graph/... ./data/... ./train/...

models-table: ## docs/models.md: every model and how far its logits are from PyTorch's
	mkdir -p docs
	$(GO) test ./models -run TestZooEqualsPyTorch -table $(CURDIR)/docs/models.md

lint: ## vet and staticcheck
	$(GO) vet ./...
	$(GO) run honnef.co/go/tools/cmd/staticcheck@v0.8.2 ./...

generate: ## rewrites the assembly in cpu/ from its generator
	$(GO) generate ./...

# The commands for a person. `make verify` never writes, `make fix` does.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help verify fix test tools run bench sim oracle dialogues sanitize

CARGO ?= cargo
PORT ?= 7000
SEEDS ?= 20
FROM ?= 1
FAMILY ?=

help: ## Show this list
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 10

verify: ## Check formatting, lints, documentation, scripts and (where installed) dependencies
	$(CARGO) fmt --all -- --check
	$(CARGO) clippy --workspace --all-targets --locked -- -D warnings
	RUSTDOCFLAGS='-D warnings --cfg tokio_unstable' $(CARGO) doc --workspace --no-deps --locked --quiet
	.ci/check-papers
	.ci/check-dependencies

fix: ## Format, and apply the lints' own corrections
	$(CARGO) clippy --workspace --all-targets --fix --allow-dirty --allow-staged
	$(CARGO) fmt --all

test: tools ## Run every test, after fetching the clients that some of them use
	$(CARGO) test --workspace --locked

sanitize: ## Run the unit tests of the engine and of scripts, unsafe code included, under AddressSanitizer (nightly)
	RUSTFLAGS='-Zsanitizer=address --cfg tokio_unstable' $(CARGO) +nightly test -p quoris-engine -p quoris-script --lib --target x86_64-unknown-linux-gnu --target-dir target/sanitize

tools: ## Fetch what the tests use besides Rust: redis-server, Python and Node clients
	.ci/tools

run: ## Run a cluster of three shards of three nodes on ports 7000 to 7008
	$(CARGO) build --profile quick --locked -p quoris-server -p quoris-cluster-cli
	exec target/quick/cluster-cli demo --port $(PORT)

oracle: tools ## Compare the engine with redis-server on random requests; SEEDS=200 FROM=7 FAMILY=sets
	SEEDS=$(SEEDS) FROM=$(FROM) $(CARGO) test --profile sim --locked -p quoris-engine --test oracle -- $(FAMILY)

dialogues: tools ## Compare a node with redis-server in dialogues of several connections; SEEDS=200 FROM=7
	SEEDS=$(SEEDS) FROM=$(FROM) $(CARGO) test --locked -p quoris-tests --test dialogues

bench: tools ## Measure beside redis-server; BENCH='single --quick' for a part of it
	$(CARGO) build --release --locked -p quoris-server -p quoris-cluster-cli
	QUORIS_BIN_DIR=target/release $(CARGO) bench --profile quick --locked -p quoris-tests --bench compare -- $(BENCH)

sim: ## Run whole clusters in the simulation; SEEDS=100 for that many, FROM=7 for the first
	$(CARGO) run --profile sim --locked -p quoris-simulation -- --seeds $(SEEDS) --from $(FROM)

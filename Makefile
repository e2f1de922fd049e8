# The front door: thin wrappers around scripts/, nothing clever. `make help` lists what there is.
.DEFAULT_GOAL := help
.PHONY: help run build test test-fast lint fmt bench audit clean-data

DATA ?= ./data
LISTEN ?= 127.0.0.1:8080

help: ## this list
	@sed -n 's/^\([a-z-]*\):[^#]*## /\1	/p' $(MAKEFILE_LIST) | expand -t 14

run: ## install what is missing, build, serve on LISTEN with data in DATA; DEMO=1 for a demonstration company
	@DATA='$(DATA)' LISTEN='$(LISTEN)' DEMO='$(DEMO)' scripts/run.sh

build: ## the release binary, target/release/kehu
	@scripts/run.sh --build-only

test: ## everything: lints, licences, both databases, browser journeys, the API
	@scripts/test.sh

test-fast: ## Rust tests on SQLite only; no PostgreSQL, no browser
	@scripts/test.sh fast

lint: ## rustfmt, clippy, documentation, scripts, dependencies and their licences
	@scripts/test.sh lint deny

fmt: ## format the Rust code
	cargo fmt --all

bench: ## measurements beside the raw engines; ARGS="…" is passed on
	cargo build --release -p kehu -p kehu-bench && target/release/kehu-bench $(ARGS)

audit: ## known vulnerabilities; needs cargo-deny and the network
	cargo deny check advisories

clean-data: ## delete DATA, after asking
	@scripts/clean_data.sh '$(DATA)'

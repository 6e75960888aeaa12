# From a fresh machine to a running demo or a passed test, one command each. Works from any folder: make -C PATH TARGET.

.DEFAULT_GOAL := help
.PHONY: help setup build demo test acceptance accuracy clean

help: ## say what there is
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

setup: ## bring what is missing: system packages, runtime library, model, sample clip
	@scripts/setup

build: setup ## set up and build target/release/kehai and its eyes
	cargo build --release --locked --bin kehai --bin kehai-detect
	cargo build --release --locked --bin kehai-eye --bin kehai-eye-opencv --no-default-features

demo: build ## build and replay real footage through the whole pipe to a broker and a web page
	target/release/kehai replay fetched/clips/vtest.avi --site deploy/demo.toml --out target/demo --publish

test: setup ## set up and run every quick test
	cargo test --locked

acceptance: build ## build and run all tests, the long ones too
	@scripts/setup --acceptance
	cargo test --release --locked -- --include-ignored

accuracy: build ## measure HOTA, IDF1, lines, stays and ids on whatever truth is here
	@scripts/accuracy

clean: ## remove what was built; what was fetched stays
	cargo clean

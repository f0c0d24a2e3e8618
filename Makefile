# `make help` says what there is.
CARGO ?= cargo
FILM := tests/media/bigbuckbunny.mp4

.PHONY: help setup demo test soak board check bench

help: ## Show this list
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 14

setup: ## Install what is needed (Debian 12 or 13, as root or through sudo)
	@.ci/setup

demo: ## Build, play a film (in a window, or headless without a desktop), leave pictures of it in demo/
	@.ci/setup --quiet
	@echo "demo: building; the first time takes some minutes"
	@$(CARGO) build --release --quiet
	@rm -rf demo && mkdir demo
	@echo "demo: playing $(FILM)"
	@$(CARGO) run --release --quiet -- play $(FILM) \
		--snapshot-every 60 --snapshot-dir demo --stats demo/stats.json
	@ls demo/*.png >/dev/null
	@echo "demo: played; the figures are in demo/stats.json, look at" demo/*.png

test: ## Run every test; the first time builds the virtual board, which takes some minutes more
	@.ci/setup --quiet
	@$(CARGO) test --release --quiet --no-fail-fast </dev/null

soak: ## Run the cases of hw-tests in full: hours of playing, in virtual time
	@.ci/setup --quiet
	@$(CARGO) test --release --quiet --test board -- --soak </dev/null

board: ## Build the player and open a shell on the virtual board
	@.ci/setup --quiet
	@$(CARGO) build --release --quiet
	@hw-tests/board shell

check: ## Check formatting, lints and documentation
	@.ci/setup --quiet
	@$(CARGO) fmt --check
	@$(CARGO) clippy --release --quiet --all-targets -- -D warnings
	@RUSTDOCFLAGS="-D warnings" $(CARGO) doc --release --quiet --no-deps --document-private-items

bench: ## Measure, and print the figures
	@.ci/setup --quiet
	@$(CARGO) bench --quiet

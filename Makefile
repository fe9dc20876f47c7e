# Everything that can be done here; `make` alone lists it. CI calls the same targets.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PYTEST := $(BIN)/python -m pytest

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help setup demo test test-unit test-integration test-browser screenshots check lint types fmt build lock clean

help: ## List what can be done
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-18s %s\n", $$1, $$2 }' Makefile

# The copy of the lock file inside the environment says what is installed, whatever the files' times are.
setup: ## Make .venv with every dependency, pinned; does nothing when it is up to date
	@cmp -s requirements.lock $(VENV)/requirements.lock || sh scripts/setup.sh "$(PYTHON)" $(VENV)

demo: setup ## Run everything on this machine, with a crowd, until Ctrl-C (PORT=8080 CROWD=60)
	@$(BIN)/python scripts/demo.py

test: setup ## Run all tests
	$(PYTEST) $(ARGS)

test-unit: setup ## Run the tests that need no server: unit, contract, faults
	$(PYTEST) tests/unit tests/contract tests/faults $(ARGS)

test-integration: setup ## Run the tests over HTTP, on the local stack
	$(PYTEST) tests/integration $(ARGS)

test-browser: setup ## Run the tests in Chromium
	$(PYTEST) tests/browser $(ARGS)

screenshots: setup ## Take pictures of every state of the waiting page, in build/screenshots/
	$(BIN)/python tests/browser/screenshots.py

check: lint types test ## All that CI does: format, lint, types, tests

lint: setup
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: setup
	$(BIN)/mypy layer/python lambdas scripts

fmt: setup ## Format the code and repair what can be repaired
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

build: setup ## Make the zips that are deployed, in build/
	$(BIN)/python scripts/build.py

# Needs uv. The layer gets the same versions as everything else.
lock: ## Pin the newest allowed versions again
	uv pip compile pyproject.toml --extra local --extra test --universal --generate-hashes --python-version 3.11 \
		--quiet --upgrade -o requirements.lock
	uv pip compile layer/requirements.in --constraints requirements.lock --universal --generate-hashes \
		--python-version 3.13 --quiet --upgrade -o requirements-layer.lock

clean: ## Remove what was built; .venv stays
	rm -rf build .mypy_cache .ruff_cache .pytest_cache .hypothesis

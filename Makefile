# Everything that can be done here; `make` alone lists it. CI calls the same targets.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PYTEST := $(BIN)/python -m pytest
ZIZMOR := build/tools/zizmor@1.32.0
CHECKOV := build/tools/checkov@3.3.30

# Twice as many workers as cores, because many tests wait for a server. Each worker has servers of its own, so eight are
# enough. A worker gets whole files, the longest first: tests/support/spreading.py.
WORKERS ?= $(shell $(PYTHON) -c 'import os; print(min(8, 2 * (os.cpu_count() or 1)))')
PARALLEL = --numprocesses $(WORKERS) --dist loadfile --no-loadscope-reorder

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help setup demo on-sale cost simulate test test-unit test-integration test-browser test-terraform screenshots bench
.PHONY: fuzz schemathesis audit check lint lint-workflows lint-terraform types coverage fmt build build-twice docs lock clean

help: ## List what can be done
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-18s %s\n", $$1, $$2 }' Makefile

# The copy of the lock file inside the environment says what is installed, whatever the files' times are.
setup: ## Make .venv with every dependency, pinned; does nothing when it is up to date
	@cmp -s requirements.lock $(VENV)/requirements.lock || sh scripts/setup.sh "$(PYTHON)" $(VENV)

demo: setup ## Run everything on this machine, with a crowd, until Ctrl-C (PORT=8080 CROWD=60; your site: ORIGIN= ZONES=)
	@$(BIN)/python -m scripts.demo

on-sale: setup ## Play the whole life of one on-sale on this machine, and check every step (some three minutes)
	@$(BIN)/python -m scripts.onsale

cost: setup ## What it costs on AWS, idle and for a million visitors (ARGS="--help" for what can be changed)
	@$(BIN)/python -m scripts.costs $(ARGS)

simulate: setup ## Simulate sales on a virtual clock and print the figures (ARGS="occupancy --seed 7 --plot build/plot.png")
	@$(BIN)/python -m scripts.simulation $(ARGS)

test: setup ## Run all tests (WORKERS=4: in so many processes; ARGS="-x --durations=20": options of pytest)
	$(PYTEST) $(PARALLEL) $(ARGS)

test-unit: setup ## Run the tests that need no server of ours: unit, faults, simulator, contract
	$(PYTEST) $(PARALLEL) tests/unit tests/faults tests/simulator tests/contract $(ARGS)

test-integration: setup ## Run the tests over HTTP, on the local stack
	$(PYTEST) $(PARALLEL) tests/integration $(ARGS)

test-browser: setup ## Run the tests in Chromium
	$(PYTEST) $(PARALLEL) tests/browser $(ARGS)

# Apart from everything else: it needs many packages that nothing else does.
schemathesis: ## Install what tests the API against openapi.json, into build/
	$(PYTHON) -m venv build/schemathesis
	build/schemathesis/bin/pip install --quiet --disable-pip-version-check schemathesis==4.32.5

# Apart for the same reason. Its database is on the network: where that does not answer, it says so and stops nobody.
audit: ## Look up known faults of the pinned packages
	$(PYTHON) -m venv build/audit
	build/audit/bin/pip install --quiet --disable-pip-version-check pip-audit==2.10.1
	$(PYTHON) -m scripts.bundle.audit build/audit/bin/pip-audit || test $$? -eq 2

fuzz: setup ## Ask the gate 100,000 generated requests and compare with the model (GENERATED=100000)
	$(PYTEST) tests/unit/gate/test_generated.py --generated $(or $(GENERATED),100000)

bench: setup ## Measure, against peers installed into build/, and write build/bench.json (ARGS=bench_gate: only that)
	PYTHONPATH=layer/python:. $(BIN)/python -m tests.benchmarks $(ARGS)

test-terraform: setup ## Check format, validate and test the Terraform code, and look into its plans
	$(PYTEST) $(PARALLEL) tests/terraform $(ARGS)

screenshots: setup ## Take pictures of every state of the waiting page, in build/screenshots/
	$(BIN)/python tests/browser/screenshots.py

check: lint lint-workflows types test ## All that CI does: format, lint, types, tests

lint: setup
	$(BIN)/ruff check
	$(BIN)/ruff format --check

# Tools that need packages nothing else does: build/tools/NAME@VERSION/installed makes one, apart from the lock.
build/tools/%/installed:
	$(shell command -v $(BIN)/python || echo $(PYTHON)) -m venv --clear $(@D)
	$(@D)/bin/pip install --quiet --disable-pip-version-check $(subst @,==,$*)
	@touch $@

lint-workflows: $(ZIZMOR)/installed ## Look for weak spots of the workflows in .github/, without network
	$(ZIZMOR)/bin/zizmor --quiet --offline --persona=pedantic .github

# Apart from `make check`: checkov is 270 MB to install and takes half a minute.
lint-terraform: $(CHECKOV)/installed ## Run tflint (where it is installed) and checkov on the Terraform code
	@if command -v tflint >/dev/null; then tflint --chdir=terraform --recursive --config "$(CURDIR)/.tflint.hcl"; \
		else echo "tflint is not installed: only checkov looks"; fi
	$(CHECKOV)/bin/checkov --config-file .checkov.yaml

types: setup
	$(BIN)/mypy layer/python lambdas scripts

# A look at what no unit test reaches, with no figure to reach: the other tests go where these do not.
coverage: setup ## Run the unit tests and print what of the product they leave out
	$(PYTEST) $(PARALLEL) tests/unit --cov --cov-report term $(ARGS)

fmt: setup ## Format the code and repair what can be repaired
	$(BIN)/ruff format
	$(BIN)/ruff check --fix
	@if command -v terraform >/dev/null; then terraform fmt -recursive terraform; fi

build: setup ## Make the zips that are deployed, the wheel of wr, the packages for a site, checksums, in build/
	$(BIN)/python -m scripts.bundle

build-twice: build ## Build, build once more, and compare every byte
	rm -rf build/first && mkdir build/first
	cd build && for file in *.zip *.whl *.tgz *.cdx.json SHA256SUMS; do [ ! -e "$$file" ] || mv "$$file" first/; done
	$(MAKE) build
	cd build/first && for file in *; do cmp "$$file" "../$$file" || exit 1; done

docs: setup ## Write ZONES.md and the generated parts of terraform/'s READMEs: inputs, outputs, picture, costs, quotas
	$(BIN)/python -m scripts.tfdocs

# Needs uv. The layer gets the same versions as everything else.
lock: ## Pin the newest allowed versions again
	uv pip compile pyproject.toml --extra local --extra simulate --extra rehearse --extra beacon --extra test --universal --generate-hashes --python-version 3.11 \
		--quiet --upgrade -o requirements.lock
	uv pip compile pyproject.toml --extra plot --constraints requirements.lock --universal --generate-hashes \
		--python-version 3.11 --quiet --upgrade -o requirements-plot.lock
	uv pip compile layer/requirements.in --constraints requirements.lock --universal --generate-hashes \
		--python-version 3.13 --quiet --upgrade -o requirements-layer.lock

clean: ## Remove what was built; .venv stays
	rm -rf build .mypy_cache .ruff_cache .pytest_cache .hypothesis

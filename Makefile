# The commands of the project. Everything that they install goes into .venv in this folder.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed-run
STAMP_DEV := $(VENV)/.installed-dev
STAMP_BENCH := $(VENV)/.installed-bench
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
RESOLVE := $(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
    --no-emit-index-url --upgrade

.PHONY: run test check bench simulate simulate-depth simulate-kill simulate-protections simulate-engine simulate-channels requirements reference lock clean

run: $(STAMP)  ## Set everything up and start gateway and paper exchange on port 3000, offline
	$(BIN)/cryptotrader serve

test: $(STAMP_DEV)  ## Set everything up and pass all tests
	$(BIN)/python -m pytest $(TEST_ARGS)

check: $(STAMP_DEV)  ## Lint, types, layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(STAMP_BENCH)  ## Measure what users feel; writes benchmarks/RESULTS.md
	$(BIN)/python -m benchmarks

simulate: $(STAMP_DEV)  ## The long simulations: ten outages of five seconds each, ten thousand seeds of chaos
	$(BIN)/python -m tests.simulation.outage
	$(BIN)/python -m tests.simulation.ws_api_chaos

simulate-depth: $(STAMP_DEV)  ## The whole recording in real time to fifty clients: eleven minutes
	$(BIN)/python -m tests.simulation.depth

simulate-kill: $(STAMP_DEV)  ## Five hundred kills of a busy paper exchange at random instants: about five minutes
	$(BIN)/python -m tests.simulation.kill

simulate-engine: $(STAMP_DEV)  ## Two hundred thousand commands on the engine beside its naive twin: about a minute
	$(BIN)/python -m tests.simulation.engine_invariants

simulate-channels: $(STAMP_DEV)  ## Three hundred clients under the recording's busiest second: about a minute
	$(BIN)/python -m tests.simulation.channel_burst

simulate-protections: $(STAMP_DEV)  ## Five thousand price paths with deaths, lost replies and more: about three minutes
	$(BIN)/python -m tests.simulation.protections

requirements: $(STAMP_DEV)  ## Write docs/requirements.md anew
	$(BIN)/python -m tests.support.requirements

reference: $(STAMP_DEV)  ## Write docs/binance-requests.md and docs/paper-exchange-errors.md anew
	$(BIN)/python -m tests.support.binance_requests
	$(BIN)/python -m tests.support.errors.catalogue

lock: $(STAMP_DEV)  ## Resolve the dependencies anew
	$(BIN)/python -m pip install --quiet uv
	$(RESOLVE) pyproject.toml -o requirements/run.lock
	$(RESOLVE) pyproject.toml --group dev -o requirements/dev.lock
	for list in requirements/*.in; do $(RESOLVE) $$list -o $${list%.in}.lock; done

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "cryptotrader needs Python 3.11 or newer")'
	$(PYTHON) -m venv $(VENV)

$(STAMP): $(VENV)/bin/python requirements/run.lock requirements/build.lock pyproject.toml
	$(PIP) --require-hashes -r requirements/run.lock -r requirements/build.lock
	$(PIP) --no-deps --no-build-isolation --editable .
	touch $@

$(STAMP_DEV): $(STAMP) requirements/dev.lock
	$(PIP) --require-hashes -r requirements/dev.lock
	touch $@

$(STAMP_BENCH): $(STAMP_DEV) requirements/bench.lock
	$(PIP) --require-hashes -r requirements/bench.lock
	touch $@

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache

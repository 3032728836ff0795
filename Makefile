# Everything a developer or a newcomer runs. Needs Python 3.11 or newer, make and git.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
WORKERS ?= 3   # many tests wait for servers more than they compute
STAMP  := $(VENV)/.installed

.PHONY: setup test check demo bench schemas soak clean

setup: $(STAMP)
$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

test: setup            ## the whole test suite
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup

check: setup           ## types, style, architecture and the tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(MAKE) test

demo: setup            ## the main job, end to end, in the lab; under a minute
	@$(BIN)/python examples/demo.py

bench: setup           ## ours and the peers on the same servers, in one run
	$(BIN)/python -m benchmarks.run
	$(BIN)/python -m benchmarks.engine
	$(BIN)/python -m benchmarks.simulate
	$(BIN)/python -m benchmarks.executor
	$(BIN)/python -m benchmarks.listing
	$(BIN)/python -m benchmarks.judging

schemas: setup         ## make the generated JSON schemas again
	$(BIN)/vtsconf schema > schemas/vts.schema.json
	$(BIN)/vtsconf schema --rollout > schemas/rollout.schema.json

soak: setup            ## the long tests
	$(BIN)/python -m pytest -m soak -o addopts="-q --strict-markers --import-mode=importlib"

clean:
	rm -rf $(VENV) dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis

# Everything a newcomer needs: `make demo`, `make test`. Each does its own set-up in .venv.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.PHONY: help demo test test-fast attack check lint format types imports deps docs bench readme constraints clean

# an interpreter that the pinned versions were tried on comes first; PYTHON=... chooses another
PYTHON ?= $(firstword $(foreach name,python3.11 python3.12 python3.13 python3,$(shell command -v $(name) 2>/dev/null)))
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
RUN_EXTRAS := cpu,lucene,bm25s,zst,pretrained
DEV_EXTRAS := $(RUN_EXTRAS),datasets,documents,eval,docs,dev
# On Linux, PyPI's torch brings gigabytes of CUDA. For the CPU build:
#   make demo TORCH_INDEX_URL=https://download.pytorch.org/whl/cpu
TORCH_INDEX_URL ?=
TORCH := torch==2.13.0
CONSTRAINTS := constraints.txt

help: ## this list
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(VENV)/.run ## adapt an encoder to Python's own documentation, build both indexes, compare, ask a question
	@$(BIN)/spider quickstart

# two processes of tests, which a laptop has cores for; coverage follows them and other child
# processes by files that `combine` joins
test: $(VENV)/.dev ## run all tests, and check that they cover enough of the code
	@$(BIN)/coverage erase
	@$(BIN)/coverage run -m pytest -n 2 --dist loadfile --no-loadscope-reorder
	@$(BIN)/coverage combine --quiet
	@$(BIN)/coverage report --format=total || { $(BIN)/coverage report; exit 1; }

test-fast: $(VENV)/.dev ## run the tests that are not marked slow, without coverage
	@$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder -m "not slow"

CASES ?= 150000
KILLS ?= 221
FLIPS ?= 400
ATTACKS ?= benchmarks/results
# An hour of parsers and half an hour of artifacts; TMPDIR=/dev/shm is faster. Some minutes:
#   make attack CASES=3000 KILLS=20 FLIPS=60 ATTACKS=build
attack: $(VENV)/.dev ## damage every kind of input and artifact, kill commands, and count what goes wrong
	@mkdir -p $(ATTACKS); failed=0; \
	$(BIN)/python -m tests.attack.fuzz_run --cases $(CASES) --output $(ATTACKS)/attack_fuzz.json || failed=1; \
	$(BIN)/python -m tests.attack.attack_run --flips $(FLIPS) --kills $(KILLS) --output $(ATTACKS)/attack_artifacts.json || failed=1; \
	exit $$failed

check: lint types imports deps test ## everything that has to be green before a commit

lint: $(VENV)/.dev ## formatting and lint
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .

format: $(VENV)/.dev ## put the formatting right
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

types: $(VENV)/.dev ## mypy --strict
	@$(BIN)/mypy

imports: $(VENV)/.dev ## who may import whom
	@$(BIN)/lint-imports

# the second run covers tests and benchmarks, which may use the tools of development
deps: $(VENV)/.dev ## dependencies are declared as they are used
	@$(BIN)/deptry . --no-ansi
	@$(BIN)/deptry . --no-ansi --exclude '\.venv' --ignore DEP002,DEP004

docs: $(VENV)/.dev ## build the documentation in build/site; a warning is an error
	@NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict --quiet

bench: $(VENV)/.dev demo ## the benchmarks that need no data but the demo's
	@$(BIN)/python -m benchmarks.start_up
	@$(BIN)/python -m benchmarks.hybrid_latency spider-work/quickstart --output spider-work/hybrid_latency.json

readme: $(VENV)/.dev ## write the measured tables of README.md from benchmarks/results
	@$(BIN)/python -m benchmarks.readme_tables

constraints: $(VENV)/.dev ## pin what is installed now
	@{ echo "# Versions that 'make demo' and 'make test' install; made by 'make constraints'."; \
	   $(PIP) freeze --exclude-editable | grep -vi '^spider' | sed 's/+cpu//'; } > $(CONSTRAINTS)

clean: ## remove the virtual environment, caches and what was built; workspaces (spider-work) stay
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage build dist

$(VENV)/.python:
	@test -n "$(PYTHON)" || { echo "no Python found: install Python 3.11, 3.12 or 3.13" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(0 if (3, 11) <= v < (3, 14) else f"{sys.executable} is Python {v[0]}.{v[1]}: 3.11, 3.12 or 3.13 is needed; make PYTHON=/path/to/python3.11")'
	@echo "making $(VENV) with $(PYTHON)"
	@$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.torch: $(VENV)/.python $(CONSTRAINTS)
	@echo "installing $(TORCH)"
	@$(PIP) install --quiet $(if $(TORCH_INDEX_URL),--extra-index-url $(TORCH_INDEX_URL)) $(TORCH)
	@touch $@

$(VENV)/.run: $(VENV)/.torch pyproject.toml
	@echo "installing spider-odqa and what it stands on (a minute or two)"
	@$(PIP) install --quiet --constraint $(CONSTRAINTS) --editable '.[$(RUN_EXTRAS)]'
	@touch $@

$(VENV)/.dev: $(VENV)/.run
	@echo "installing the development tools"
	@$(PIP) install --quiet --constraint $(CONSTRAINTS) --editable '.[$(DEV_EXTRAS)]'
	@touch $@

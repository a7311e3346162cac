# `make demo` and `make test` need nothing but make and Python 3.11 or newer: they set up .venv themselves.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

PYTHONS ?= python3 python3.13 python3.12 python3.11
VENV := .venv
BIN := $(VENV)/bin
# Half of an installation would be compiling modules that nobody imports; Python compiles the others as it meets them.
PIP := $(BIN)/python -m pip --disable-pip-version-check install -q --no-compile --constraint requirements/constraints.txt
REQUIREMENTS := pyproject.toml setup.py requirements/constraints.txt
RUN := runs/leukemia
DATA := examples/data/golub_leukemia.tsv.gz

# One process for every core, each of one thread; a file stays in one process, so that its fixtures are made once, and the longest
# files come first (tests/conftest.py).
PYTEST_ALL := $(BIN)/python -m pytest --numprocesses auto --maxprocesses 8 --dist loadfile --no-loadscope-reorder

export TF_CPP_MIN_LOG_LEVEL := 2
# What Python compiles is kept, whatever the shell says.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo docs quickstart test test-docs test-tensorflow test-jax test-torch test-slow test-faults test-oldest test-wheel fuzz lint lint-style lint-types lint-contracts clean

help:
	@echo 'make demo       set up .venv, then grow a classifier on the bundled leukemia data (about 2 minutes)'
	@echo 'make test       set up .venv, then lint, types, import contracts and tests'
	@echo 'make lint       the first three of those'
	@echo 'make test-slow  the tests that take long'
	@echo 'make test-faults  those of them in which processes die, hang and grow'
	@echo 'make test-oldest  the tests with the oldest releases of what GenoKeras builds on (Python 3.11)'
	@echo 'make test-wheel  the wheel, installed and used with each Python found and with the oldest and newest releases'
	@echo 'make docs       the documentation into site/, every warning an error'
	@echo 'make test-docs  all blocks of code of the documentation, run page by page'
	@echo 'make quickstart what the first screen of the README shows, anew'
	@echo 'make fuzz       100,000 damaged files of each kind (half an hour of processor time; INPUTS=2000: a minute)'
	@echo 'make clean      remove runs, caches and build leftovers (not .venv)'

# TensorFlow has no wheels for Python 3.14 yet; ensurepip is missing where a system splits venv off Python.
$(BIN)/python:
	@for python in $(PYTHONS); do \
	    if "$$python" -c 'import sys, ensurepip, venv; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null; then \
	        echo "Making $(VENV) with $$("$$python" --version) ($$(command -v "$$python"))"; \
	        exec "$$python" -m venv $(VENV); \
	    fi; \
	done; \
	echo 'GenoKeras needs Python 3.11, 3.12 or 3.13 with its venv module; tried:' >&2; \
	for python in $(PYTHONS); do echo "  $$python: $$("$$python" --version 2>&1 | head -n 1 || true)" >&2; done; \
	echo 'Install one (on Debian and Ubuntu python3-venv too), or say where one is: make PYTHONS=/path/to/python3.12' >&2; \
	exit 1

$(VENV)/.installed: $(BIN)/python $(REQUIREMENTS)
	@echo 'Installing GenoKeras into $(VENV)'
	@$(PIP) --editable .
	@touch $@

$(VENV)/.installed-dev: $(BIN)/python $(REQUIREMENTS)
	@echo 'Installing GenoKeras with its development tools into $(VENV)'
	@$(PIP) --editable '.[dev]'
	@touch $(VENV)/.installed $@

$(VENV)/.installed-docs: $(BIN)/python $(REQUIREMENTS)
	@echo 'Installing what builds the documentation into $(VENV)'
	@$(PIP) --editable '.[docs]'
	@touch $(VENV)/.installed $@

demo: $(VENV)/.installed
	rm -rf $(RUN)
	$(BIN)/genokeras fit $(DATA) --target label --time-limit 60 --seed 0 --out $(RUN)
	$(BIN)/genokeras leaderboard $(RUN) --top 5
	$(BIN)/genokeras export $(RUN) $(RUN)/leukemia.keras
	@# It knows Keras alone, so that nothing keeps TensorFlow from telling of its start: a file takes that.
	$(BIN)/python -I examples/use_exported_model.py $(RUN)/leukemia.keras $(RUN)/leukemia.json $(DATA) \
	    2> $(RUN)/keras_alone.log || { cat $(RUN)/keras_alone.log >&2; exit 1; }

# What keeps one core busy runs two at a time, the longest first; where the second has nothing left to do, the tests that run on all
# cores begin.
test: $(VENV)/.installed-dev
	$(MAKE) --no-print-directory --jobs 2 lint-style test-jax lint-types lint-contracts test-torch test-tensorflow

test-tensorflow: $(VENV)/.installed-dev
	$(PYTEST_ALL)

test-jax test-torch: test-%: $(VENV)/.installed-dev
	KERAS_BACKEND=$* $(BIN)/python -m pytest tests/networks

test-slow: $(VENV)/.installed-dev
	$(BIN)/python -m pytest -m 'slow and not gpu'

test-faults: $(VENV)/.installed-dev
	$(BIN)/python -m pytest tests/faults -m slow

# What pyproject.toml allows at least, and an environment of its own for it. Old releases call what newer ones deprecate.
OLDEST := requirements/oldest.txt
OLDEST_VENV := .venv-oldest
OLDEST_PYTHON ?= python3.11

test-oldest:
	$(OLDEST_PYTHON) -m venv $(OLDEST_VENV)
	$(OLDEST_VENV)/bin/python -m pip --disable-pip-version-check install -q --no-compile --constraint $(OLDEST) \
	    --editable '.[detection,excel,export,fast,parquet,single-cell]' pytest pytest-timeout pytest-xdist hypothesis import-linter scikit-survival
	$(OLDEST_VENV)/bin/python -m pytest --numprocesses auto --maxprocesses 8 --dist loadfile --no-loadscope-reorder \
	    -W ignore::DeprecationWarning -W ignore::FutureWarning

test-wheel:
	.ci/wheel requirements/constraints.txt $(PYTHONS)
	.ci/wheel $(OLDEST) $(OLDEST_PYTHON)

# Damaged files of every kind, INPUTS of each: 100,000 of one kind take from 20 s (graphs) to 5 minutes (csv), HDF5 files 15.
# They are the same each time; SEED asks for others.
INPUTS ?= 100000
SEED ?= 0
fuzz: $(VENV)/.installed-dev
	FUZZ_INPUTS=$(INPUTS) FUZZ_SEED=$(SEED) $(BIN)/python -m pytest tests/fuzz -n auto --maxprocesses 8

# Twelve seconds of griffe and mkdocs, which read the docstrings without importing anything; a warning is an error.
docs: $(VENV)/.installed-docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet --site-dir site
	@echo 'Wrote site/index.html'

# Every block of code of the documentation, page by page; GENOKERAS_DOCS_SECONDS (15) limits each fit.
test-docs: $(VENV)/.installed-dev
	$(BIN)/python -m pytest tests/docs -m 'slow or not slow'

# What the first screen of the README shows: the output, and the first page of the report where there is a Chromium.
QUICK := runs/quickstart
quickstart: $(VENV)/.installed
	rm -rf $(QUICK) && mkdir -p $(QUICK) && ln -s $(CURDIR)/examples $(QUICK)/examples
	cd $(QUICK) && $(CURDIR)/$(BIN)/python $(CURDIR)/docs/quickstart.py > $(CURDIR)/docs/quickstart.txt
	for browser in chromium chromium-browser google-chrome; do \
	    if command -v $$browser > /dev/null; then \
	        $$browser --headless --no-sandbox --disable-gpu --hide-scrollbars --window-size=820,972 \
	            --screenshot=$(CURDIR)/docs/pictures/report.png file://$(CURDIR)/$(QUICK)/report.html 2> /dev/null; \
	        break; \
	    fi; \
	done
	cat docs/quickstart.txt

lint: lint-style lint-types lint-contracts

lint-style: $(VENV)/.installed-dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check

lint-types: $(VENV)/.installed-dev
	$(BIN)/mypy

lint-contracts: $(VENV)/.installed-dev
	$(BIN)/lint-imports

clean:
	rm -rf runs site build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find genokeras tests examples benchmarks -type d -name __pycache__ -prune -exec rm -rf {} +

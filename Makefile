# `make help` lists the targets. Everything runs in .venv, which is created when it is missing.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RUN := $(VENV)/.run-installed
DEV := $(VENV)/.dev-installed
LUIGID := $(VENV)/.luigid-installed
PIP = $(BIN)/python -m pip install --disable-pip-version-check -c constraints.txt

DATASET ?= vader
MODEL ?= naive_bayes

.DEFAULT_GOAL := help
.PHONY: help run luigid nightly test test-fast check docs bench bench-start-up quality format clean

help:  ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

run: $(RUN)  ## install (2.8 GB in .venv), then train and report on the default dataset
	$(BIN)/luigi --module pipeline RunAll --model bilstm

luigid: $(LUIGID)  ## Luigi's scheduler with its visualiser on 127.0.0.1:8082, state in .luigid/
	mkdir -p .luigid
	STATE_DIRECTORY=$(CURDIR)/.luigid LUIGI_CONFIG_PATH=deploy/luigid.cfg \
		$(BIN)/luigid --address 127.0.0.1 --port 8082

nightly: $(RUN)  ## today's night under `make luigid`: DATASET=vader MODEL=naive_bayes
	deploy/night.sh --dataset $(DATASET) --model $(MODEL) $(NIGHT) || \
		{ code=$$?; [ $$code -ge 50 ] && [ $$code -le 53 ]; }  # outcomes that are not failures

test: $(DEV)  ## all tests
	$(BIN)/python -m pytest -n 2

test-fast: $(DEV)  ## tests that start no network and no luigi process, under two minutes
	$(BIN)/python -m pytest -n 2 -m "not network and not processes and not package_index and not real_data"

check: $(DEV)  ## format, lint, types, order of packages
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

docs: $(DEV)  ## the documentation, in build/docs; a warning is an error
	$(BIN)/sphinx-build -q -W --keep-going -b html docs build/docs
	@echo "Documentation: build/docs/index.html"

bench: $(DEV)  ## speed compared with peers, and where the time goes (an hour on a quiet machine); ONLY='bag hate'
	$(BIN)/python -m benchmarks.speed $(if $(DATA),--data $(DATA)) $(if $(ONLY),--only $(ONLY))

bench-start-up: $(RUN)  ## cost of a run with nothing to do, compared with a Luigi hello world
	$(BIN)/python -m benchmarks.start_up

quality: $(DEV)  ## train what benchmarks/quality.md needs (hours); FAST=1 for minutes; DATA=folder
	$(BIN)/python -m benchmarks.quality $(if $(DATA),--data $(DATA)) $(if $(FAST),--fast)

format: $(DEV)  ## format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean:  ## remove the environment and caches; keep data/ and outputs/
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(RUN): $(BIN)/python setup.cfg pyproject.toml constraints.txt
	@echo "Installing TensorFlow and the other libraries in $(VENV)/: download 0.8 GB, on disk 2.8 GB;"
	@echo "this takes some minutes."
	$(PIP) -e .
	@touch $@

$(DEV): $(BIN)/python setup.cfg pyproject.toml constraints.txt
	$(PIP) -e '.[dev]'
	@touch $@ $(RUN)

$(LUIGID): $(BIN)/python setup.cfg pyproject.toml constraints.txt
	$(PIP) -e '.[history]'
	@touch $@ $(RUN)

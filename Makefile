# Everything a day's work needs. `make` alone lists it.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
INSTALL := $(PIP) install --require-hashes --only-binary=:all:
LOCK := $(BIN)/uv pip compile pyproject.toml --extra build --generate-hashes --universal \
	--python-version 3.11 --no-header --no-emit-index-url --quiet
ARGS ?=

.PHONY: help setup check test lab fix demo bulk spark papers gear front bench docs screenshots words lock

help: ## list what can be made
	@grep -hE '^[a-z]+:.*##' Makefile | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/' | expand -t 16

setup: .venv/installed-dev ## make .venv with everything for working on Hansa

check: setup ## style, types, import contracts, house rules: what CI runs before the tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/pytest -q tests/house

test: setup ## every test but the lab's; ARGS="tests/ledger -k hold" for some
	$(BIN)/pytest --numprocesses=2 --dist=loadfile -m "not lab" $(ARGS)

lab: setup ## real daemons in network namespaces, one test after the other
	$(BIN)/pytest -m lab tests/lab $(ARGS)

fix: setup ## put style right where a program can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

demo: .venv/installed-run ## play two alliances end to end; ARGS="--keep" leaves the nodes running
	$(BIN)/hansa demo $(ARGS)

bulk: .venv/installed-bulk ## add what rating millions of calls needs: DuckDB, Arrow, Numba

spark: .venv/installed-spark ## add what rating on a cluster needs: Apache Spark, which wants Java 17

papers: .venv/installed-papers ## add what writes invoices as PDF and statements as XLSX

gear: .venv/installed-gear ## add what takes configurations to real equipment over NETCONF

front: ## fetch the portal's third-party files from npm, if they have changed
	$(BIN)/python setup.py --quiet front

bench: setup ## measure, each beside a peer; prints JSON
	@for bench in bench/*.py; do echo "$$bench" >&2; $(BIN)/python "$$bench" $(ARGS); done

docs: setup ## write the generated documents again: the APIs that a node serves
	$(BIN)/python contracts/write.py

screenshots: setup ## take the pictures of the portal that the documents show
	$(BIN)/python -m tests.portal.screenshots

words: setup ## bring the portal's catalogues of words up to date with its pages
	$(BIN)/python -m hansa.entrypoints.portal.catalogues

lock: setup ## resolve pyproject.toml anew into the locked requirement files
	$(PIP) install 'uv>=0.13'
	$(LOCK) --output-file requirements.txt
	$(LOCK) --extra bulk --output-file requirements-bulk.txt
	$(LOCK) --extra bulk --extra spark --output-file requirements-spark.txt
	$(LOCK) --extra papers --output-file requirements-papers.txt
	$(LOCK) --extra gear --output-file requirements-gear.txt
	$(LOCK) --extra bulk --extra papers --extra gear --extra dev --output-file requirements-dev.txt

# --- the virtual environment: made once, refreshed when a locked file changes ------------------

FRONT := $(addprefix src/hansa/entrypoints/portal/front/,.npmrc package.json package-lock.json vendor.mjs)

.venv/installed-run: requirements.txt pyproject.toml setup.py $(FRONT)
	@bash .ci/venv
	@echo "Installing what Hansa needs into .venv …"
	@$(INSTALL) -r requirements.txt
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

.venv/installed-bulk: requirements-bulk.txt .venv/installed-run
	@echo "Installing what rating in bulk needs into .venv …"
	@$(INSTALL) -r requirements-bulk.txt
	@touch $@

.venv/installed-spark: requirements-spark.txt .venv/installed-run
	@echo "Installing what rating on a cluster needs into .venv …"
	@$(INSTALL) --no-binary=pyspark --use-pep517 --no-build-isolation -r requirements-spark.txt
	@touch $@

.venv/installed-papers: requirements-papers.txt .venv/installed-run
	@echo "Installing what writes papers into .venv …"
	@$(INSTALL) -r requirements-papers.txt
	@touch $@

.venv/installed-gear: requirements-gear.txt .venv/installed-run
	@echo "Installing what speaks NETCONF into .venv …"
	@$(INSTALL) -r requirements-gear.txt
	@touch $@

.venv/installed-dev: requirements-dev.txt .venv/installed-run
	@echo "Installing what working on Hansa needs into .venv …"
	@$(INSTALL) -r requirements-dev.txt
	@touch $@

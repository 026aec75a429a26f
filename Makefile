# Zhiliu 知流. `make demo` and `make test` make their own environment; nothing else needs to be installed.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

help:  ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/'

.venv/ready: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed: make PYTHON=python3.11 …"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "Installing the environment into .venv (a minute or two, once) …"
	@$(PIP) --require-hashes -r requirements.lock 2> .venv/install.log || { cat .venv/install.log >&2; exit 1; }
	@$(PIP) --no-deps --no-build-isolation --editable . 2>> .venv/install.log || { cat .venv/install.log >&2; exit 1; }
	@touch $@

env: .venv/ready  ## make the environment

demo: .venv/ready  ## start everything, watch a whole sale, leave the site up (Ctrl-C stops all)
	@$(BIN)/flask demo $(if $(RECORDS),--records $(RECORDS))

test: .venv/ready  ## all tests on real PostgreSQL, Redis, workers and, where installed, Chromium and Elasticsearch (Java, Maven)
	$(BIN)/python -m pytest -q -n 3 --dist worksteal $(ARGS)

lint: .venv/ready  ## style, types, room arrows
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

pictures: .venv/ready  ## the README's pictures, from the browser tests
	ZHILIU_SCREENSHOTS=docs/images ZHILIU_NO_SKIPS=1 $(BIN)/python -m pytest -q tests/browser/test_whole_sale.py tests/browser/test_discovery_pages.py

bench: .venv/ready  ## speed as ratios, with the invariant check after
	$(BIN)/python -m bench

bench-search: .venv/ready  ## speed of both search engines (SIZE=200000 documents; some minutes)
	$(BIN)/python -m bench.search --size $(or $(SIZE),200000) $(ARGS)

relevance: .venv/ready  ## how well the search engines rank, on the real records (ARGS=--dense: also by meaning)
	$(BIN)/python -m bench.relevance $(ARGS)

audit: .venv/ready  ## known vulnerabilities in the locked dependencies
	$(BIN)/pip-audit --disable-pip --require-hashes -r requirements.lock

words: .venv/ready  ## bring the English catalogues up to date
	$(BIN)/python -m marketplace.core.cli update

lock:  ## renew requirements.lock from pyproject.toml (needs uv)
	$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --group local --group test --group lint pyproject.toml -o requirements.lock --no-header --quiet --upgrade

clean:  ## remove the environment and all local data
	rm -rf .venv var

.PHONY: help env demo test lint pictures bench bench-search relevance audit words lock clean

# What people run. From a clean clone, with Python 3.11+, Node and a C compiler: `make run`, `make test`.

PYTHON ?= python3
PORT ?= 8000
BIN := .venv/bin
STAMPS := .stamps
# Chromium and the databases want room of their own; two workers are what two cores bear.
WORKERS ?= auto

.DEFAULT_GOAL := help
.PHONY: help run setup test test-long lint bench bench-large check-links wordpress-plugin lock clean

help:
	@echo "make run         everything with demo data, on http://127.0.0.1:$(PORT)/ (PORT= changes it)"
	@echo "make test        set-up, then all tests; make test-long adds those that take hours"
	@echo "make setup       virtual environment, browser files"
	@echo "make lint        ruff, mypy, import contracts"
	@echo "make bench       the benchmarks: a table and benchmarks/results.json"
	@echo "make bench-large a million people on both databases: an hour, 15 GB below TMPDIR"
	@echo "make check-links links in the documentation"
	@echo "make wordpress-plugin dist/customerhub.zip, to be uploaded in WordPress"
	@echo "make lock        renew the lock files"

setup: $(STAMPS)/python $(STAMPS)/assets $(STAMPS)/translations

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "customerhub needs Python 3.11 or newer")'
	$(PYTHON) -m venv .venv

# Hashes of everything that is installed are in the lock; the builder of our own package is in it too, so that the
# second step fetches nothing.
$(STAMPS)/python: requirements.lock pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/python-dev: requirements-dev.lock $(STAMPS)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@

node_modules/.package-lock.json: package-lock.json package.json
	npm ci --no-audit --no-fund --loglevel=error
	@touch $@

# Icons are gathered from the pages, so a changed page may change the sprite.
PAGES := $(shell find crm ecp hub surveys web_tracking self_service_portal \( -name build -o -name __pycache__ \) -prune -o \
	\( -name '*.html' -o -name '*.py' -o -path '*/static_src/*' -type f \) -print 2>/dev/null)
$(STAMPS)/assets: node_modules/.package-lock.json scripts/build-assets.mjs $(PAGES)
	node scripts/build-assets.mjs
	@mkdir -p $(STAMPS) && touch $@

# The compiled catalogues are made here, the readable ones are in the repository.
$(STAMPS)/translations: $(wildcard */translations/*/LC_MESSAGES/*.po) | $(STAMPS)/python
	@for folder in $(wildcard */translations); do \
		if ls $$folder/*/LC_MESSAGES/*.po >/dev/null 2>&1; then $(BIN)/pybabel --quiet compile -d $$folder; fi; \
	done
	@mkdir -p $(STAMPS) && touch $@

run: setup
	@PORT=$(PORT) scripts/run

test: setup $(STAMPS)/python-dev
	@scripts/test-services
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup -m "not long" -q -rfER $(ARGS)

test-long: setup $(STAMPS)/python-dev
	@scripts/test-services
	$(BIN)/python -m pytest -m long -q $(ARGS)

lint: $(STAMPS)/python-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: setup $(STAMPS)/python-dev
	$(BIN)/python -m benchmarks

bench-large: setup $(STAMPS)/python-dev
	$(BIN)/python -m benchmarks large

check-links:
	$(PYTHON) scripts/check-links

wordpress-plugin: $(STAMPS)/python
	@$(BIN)/python scripts/build-wordpress-plugin

lock: $(STAMPS)/python-dev
	scripts/lock

clean:
	rm -rf .venv node_modules .stamps crm/static/build dist

# Everything a person or CI runs. `make install` needs python3 with venv and pip, nothing else.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SOURCES := cli sandbox shared webhook workers tests bench release

.PHONY: install demo up test lint format check bench lock audit sbom licences clean

# The stamp carries the interpreter, so that `make test PYTHON=python3.13` rebuilds the environment.
STAMP := $(VENV)/.installed-$(shell $(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])')

install: $(STAMP)

$(STAMP): requirements-dev.lock pyproject.toml
	$(PYTHON) -m venv --clear $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

demo: install
	$(BIN)/finestra demo

up: install
	$(BIN)/finestra up

# Two at a time, a file's tests together; the order of the files keeps the long ones from coming last.
test: install
	$(BIN)/pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder

lint: install
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/ruff format --check --quiet $(SOURCES)
	$(BIN)/mypy

format: install
	$(BIN)/ruff check --fix $(SOURCES)
	$(BIN)/ruff format $(SOURCES)

check: lint test

bench: install
	$(BIN)/python -m bench

# The lock files; needs `uv`. The files name hashes and no registry host.
LOCK := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header \
	--no-emit-index-url --no-emit-find-links
lock:
	$(LOCK) pyproject.toml --extra embedded -o requirements.lock
	$(LOCK) pyproject.toml --extra embedded --extra errors --extra tracing -o requirements-extras.lock
	$(LOCK) pyproject.toml --all-extras -o requirements-dev.lock
	$(LOCK) release/requirements.in -o requirements-release.lock

# Steps of a release (docs/releasing.md), whose tools have an environment of their own. `release/` judges what they wrote.
RELEASE := .release
$(RELEASE)/.installed: requirements-release.lock
	$(PYTHON) -m venv --clear $(RELEASE)
	$(RELEASE)/bin/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-release.lock
	mkdir -p build
	touch $@

# Needs a network. Green is not enough: it may be that nobody could be asked.
audit: install $(RELEASE)/.installed
	rm -f build/audit.json
	-$(RELEASE)/bin/pip-audit --strict --require-hashes --disable-pip -r requirements-extras.lock -f json -o build/audit.json
	$(BIN)/python -m release audit requirements-extras.lock build/audit.json

sbom: install $(RELEASE)/.installed
	$(RELEASE)/bin/cyclonedx-py requirements requirements.lock --pyproject pyproject.toml --output-reproducible -o build/sbom.json
	$(BIN)/python -m release sbom requirements.lock build/sbom.json

# Of what ships, as far as this Python installs it.
licences: install $(RELEASE)/.installed
	$(RELEASE)/bin/pip-licenses --python $(BIN)/python --order license --packages $$(sed -n 's/==.*//p' requirements.lock)

clean:
	rm -rf $(VENV) $(RELEASE) .mypy_cache .ruff_cache .pytest_cache .hypothesis build *.egg-info

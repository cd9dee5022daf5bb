# Two commands do all the set-up on a machine with Python 3.11 or later, venv and make: `make demo`, `make test`.
PYTHON ?= python3
BIN := .venv/bin
PYTEST := $(BIN)/pytest -n auto --dist worksteal

.PHONY: setup demo test test-mcp check fix docs bench clean

setup: .venv/.installed  ## make .venv with kosmo and everything for its development

.venv/.installed: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "kosmo needs Python 3.11 or later: make PYTHON=python3.12 ...")'
	@echo "setting up .venv: this takes about a minute" >&2
	@$(PYTHON) -m venv .venv
	@$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@# Else each start compiles kosmo anew where PYTHONDONTWRITEBYTECODE is set.
	@$(BIN)/python -m compileall -q kosmo_lua integrations
	@touch $@

demo: setup  ## run examples/quickstart.lua on the emulator
	@$(BIN)/kosmo integrations:lua examples/quickstart.lua --emulator --json

test: setup  ## run the whole test suite
	$(PYTEST)

test-mcp: setup  ## run the reference MCP servers from npm through kosmo; needs Node and npm
	$(BIN)/pytest tests/npm_servers.py

check: setup  ## everything that must hold before a commit
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python docs/generate.py --check
	$(PYTEST)

fix: setup  ## format, and fix what can be fixed
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

docs: setup  ## write docs/reference from the declarations
	$(BIN)/python docs/generate.py

bench: setup  ## measure against peers and write docs/performance.md; ONLY=WORD prints a part
	@# What was edited since the set-up would be compiled anew at each start (PYTHONDONTWRITEBYTECODE).
	@$(BIN)/python -m compileall -q kosmo_lua integrations
	$(BIN)/python benchmarks/run.py $(ONLY:%=--only %)

clean:
	rm -rf .venv dist

# What a newcomer calls: everything is set up by itself, in .venv and in the user's cache folder.
# `make lock` alone needs a tool of its own, uv: make lock UV=/path/to/uv
.PHONY: help demo test test-older-servers test-older-servers-in-turn faults lint bench generated lock clean
.DEFAULT_GOAL := help

BIN := .venv/bin
READY := .venv/.ready
UV ?= uv

help: ## tell what there is
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 28

demo: $(READY) ## verify the whole checklist on a lab of real servers
	@$(BIN)/opsconsole verify --env lab

test: lint ## lint, then all tests, on the real servers
	@$(BIN)/python -m pytest -n 2 --dist loadfile $(PYTEST_ARGS)

test-older-servers: $(READY) ## the tests with real servers, in the two older version pairs
	@for pair in 2.42 2.53; do \
	  $(BIN)/python -m pytest -n 3 --dist loadfile --pair $$pair $(PYTEST_ARGS) || exit 1; \
	done

test-older-servers-in-turn: $(READY) ## the same, each file in one of the two pairs: in the other one a commit later
	@turn=$$(($$(git rev-list --count HEAD 2>/dev/null || echo 0) % 2)); \
	for pair in 2.42 2.53; do \
	  echo "on Prometheus $$pair: half $$turn of the files"; \
	  $(BIN)/python -m pytest -n 3 --dist loadfile --pair $$pair --half $$turn $(PYTEST_ARGS) || exit 1; \
	  turn=$$((1 - turn)); \
	done

faults: $(READY) ## break a lab in every way that it can be broken, and see who tells: FAULTS=--part for a part
	@$(BIN)/python -m tests.bench.faults $(or $(FAULTS),--healthy 20)

lint: $(READY) ## style, types, and who may import whom
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

bench: $(READY) ## print how fast it is, beside other ways to do the same
	@$(BIN)/python -m tests.bench

generated: $(READY) ## make anew what is generated: the README's list of checks and its picture
	@$(BIN)/python .ci/generate.py

lock: ## pin the dependencies of pyproject.toml anew, with hashes
	@$(UV) pip compile --quiet --upgrade --universal --python-version 3.11 --extra dev --generate-hashes \
	  --no-config --no-header --no-annotate --no-emit-index-url --no-emit-find-links \
	  --output-file requirements.lock pyproject.toml

clean: ## remove what was made here; the user's cache folder stays
	@rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(READY): requirements.lock pyproject.toml
	@for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	  if $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	    echo "setting up .venv with $$($$python --version), once"; \
	    $$python .ci/setup_venv.py && touch $@; exit; \
	  fi; \
	done; \
	echo 'opsconsole needs Python 3.11 or newer, and there is none on the PATH. Install it (Debian 12, Ubuntu 24.04' \
	  'or newer: apt-get install python3) and try again.' >&2; exit 2

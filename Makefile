# `make run` and `make test` are all a newcomer needs; everything else is listed by `make help`.
# Each step runs only when what it depends on changed, so every target may be repeated at no cost.

VENV    = .venv
BIN     = $(VENV)/bin
PORT    ?= 5000
WORKERS ?= 2
# djlint takes no folder without templates
TEMPLATES = $(wildcard templates)

.PHONY: help run test test-fast lint format audit bench spec lock messages messages-check browser dev clean

help:
	@echo "make run             serve the portal with demonstration data (PORT=$(PORT))"
	@echo "make test            install what the tests need, then run all of them"
	@echo "make test-fast       without browser, PostgreSQL and the slow ones, under a minute"
	@echo "make lint            static checks          make format    mend what can be mended"
	@echo "make spec            clauses without a test make bench     the benchmarks"
	@echo "make messages        extract the sentences  make lock      pin the dependencies anew"
	@echo "make audit           known weaknesses of the dependencies (asks a public service)"

run: $(VENV)/.runtime
	@PORT=$(PORT) exec $(BIN)/python run.py

test: $(VENV)/.dev browser
	@$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal

test-fast: $(VENV)/.dev
	@$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal --fast

lint: $(VENV)/.dev
	@$(BIN)/ruff check --quiet
	@$(BIN)/ruff format --check --quiet --output-format concise
	@$(BIN)/mypy --no-error-summary
	@PYTHONPATH=. $(BIN)/lint-imports --no-cache --no-logo > $(VENV)/imports.log || { cat $(VENV)/imports.log; exit 1; }
	@test -z "$(TEMPLATES)" || $(BIN)/djlint --lint --quiet $(TEMPLATES)
	@$(BIN)/python tools/messages.py --check
	@echo "lint: clean"

format: $(VENV)/.dev
	@$(BIN)/ruff check --fix --quiet || true
	@$(BIN)/ruff format --quiet

audit: $(VENV)/.dev
	@$(BIN)/pip-audit --disable-pip --require-hashes -r requirements.txt

bench: $(VENV)/.dev
	@$(BIN)/python -m bench

spec: $(VENV)/.dev
	@$(BIN)/python -m tests.support.spec

lock: $(VENV)/.dev
	@$(BIN)/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --no-header \
		requirements.in -o requirements.txt
	@$(BIN)/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --no-header \
		requirements-dev.in -o requirements-dev.txt

messages: $(VENV)/.dev
	@$(BIN)/python tools/messages.py

messages-check: $(VENV)/.dev
	@$(BIN)/python tools/messages.py --check

browser:
	@sh tools/browser.sh

dev: $(VENV)/.dev

clean:
	@rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis artefacts

$(VENV)/.runtime: requirements.txt tools/venv.sh
	@sh tools/venv.sh $(VENV) requirements.txt
	@touch $@

$(VENV)/.dev: requirements.txt requirements-dev.txt tools/venv.sh
	@sh tools/venv.sh $(VENV) requirements.txt requirements-dev.txt
	@touch $(VENV)/.runtime $@

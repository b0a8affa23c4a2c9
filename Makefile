SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

VENV := .venv
PYTHON := $(VENV)/bin/python
INSTALLED := $(VENV)/.installed
# An assignment of its own, so that the shell stops where no lab runs.
ON_LAB = exports="$$($(PYTHON) -m lab env)"; eval "$$exports"

.PHONY: help
help: ## Show what there is to make
	@sed -nE 's/^([a-z-]+):.*## (.*)/\1\t\2/p' $(MAKEFILE_LIST) | expand -t 12

.PHONY: up
up: $(INSTALLED) ## From nothing to a verified exposure on the lab
	@$(PYTHON) -m lab up
	@$(ON_LAB); pulumi stack select --create dev; pulumi up --stack dev --yes --skip-preview

.PHONY: preview
preview: $(INSTALLED) ## Show what an update of the lab's stack would change
	@$(ON_LAB); pulumi preview --stack dev --diff

.PHONY: down
down: $(INSTALLED) ## Destroy the lab's stack, then remove the lab
	@if $(PYTHON) -m lab status >/dev/null 2>&1; then \
		$(ON_LAB); \
		if pulumi stack select dev 2>/dev/null; then \
			pulumi destroy --stack dev --yes --skip-preview || { \
				echo '`$(PYTHON) -m lab down` removes the lab with all that is in it' >&2; exit 1; \
			}; \
		fi; \
	fi
	@$(PYTHON) -m lab down

.PHONY: env
env: $(INSTALLED) ## Print the exports for a shell that works on the lab's stack
	@$(PYTHON) -m lab env

.PHONY: test
test: lint unit lab-test ## Run every check, the quick ones first

.PHONY: lint
lint: $(INSTALLED) ## Check style and types
	$(VENV)/bin/ruff format --check --quiet
	$(VENV)/bin/ruff check --quiet
	$(VENV)/bin/mypy
	@# One by one, as all are called __main__.
	for program in examples/*/__main__.py; do $(VENV)/bin/mypy "$$program"; done
	$(VENV)/bin/pyright

.PHONY: unit
unit: $(INSTALLED) ## Run the tests that need no cluster; in CI with their coverage, which takes longer
	$(PYTHON) -m pytest --numprocesses 2 $(if $(CI),--cov components --cov-branch \
		--cov-report= --cov-fail-under 95) tests/unit

.PHONY: lab-test
lab-test: $(INSTALLED) ## Run the tests on a lab of their own, with the real engine and cluster
	$(PYTHON) -m pytest --verbose --numprocesses 2 --dist loadfile tests/lab

$(INSTALLED): pyproject.toml requirements.txt requirements-dev.txt constraints.txt
	@python3 -c 'import sys; sys.version_info >= (3, 11) or sys.exit("python3 is %d.%d, expected 3.11 or newer" % sys.version_info[:2])'
	@echo "installing Python packages into $(VENV)" >&2
	@python3 -m venv $(VENV)
	@$(VENV)/bin/pip install --quiet --disable-pip-version-check --requirement requirements-dev.txt
	@touch $@

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

# From the command line alone: a variable of the environment must not lead to another cluster.
CONTEXT :=
STACK := $(if $(CONTEXT),local,lab)
STACK_FILE := Pulumi.$(STACK).yaml
NOTES := .last-update.$(STACK)

VENV := .venv
PYTHON := $(VENV)/bin/python
PIP_INSTALL := $(VENV)/bin/pip install --quiet --disable-pip-version-check --require-hashes
LOCK := $(VENV)/bin/uv pip compile --quiet --universal --python-version 3.11 --no-annotate \
	--custom-compile-command 'make lock'
HASHED := --generate-hashes --no-strip-extras
PAGES := *.md docs examples policy rbac .github Pulumi.yaml Pulumi.dev.yaml LICENSE
INSTALLED := $(VENV)/.installed
INSTALLED_DEV := $(VENV)/.installed-dev

# An assignment of its own, so that the shell stops where no lab runs.
ON_LAB = exports="$$($(PYTHON) -m lab env)"; eval "$$exports"

ifdef CONTEXT
ifeq ($(shell command -v pulumi),)
$(error pulumi: not found on PATH. Install it (https://www.pulumi.com/docs/install/), or leave CONTEXT out: the lab brings its own)
endif
# Else what the stack has on another cluster would be left behind, or destroyed instead.
SAME_CLUSTER = found="$$(pulumi config get --stack $(STACK) --path cluster.context)"; \
	[ "$$found" = '$(CONTEXT)' ] || { \
		echo "$(STACK_FILE): the stack is on context $$found, not $(CONTEXT)." \
			'Name another stack for another cluster: STACK=NAME.' >&2; exit 1; \
	}
ON_STACK = pulumi stack select --create $(STACK) && $(SAME_CLUSTER)
else
ON_STACK = $(ON_LAB); pulumi stack select --create $(STACK)
endif

PYTHON_IS_NEW_ENOUGH = python3 -c 'import sys; sys.version_info >= (3, 11) or sys.exit("python3 is %d.%d, expected 3.11 or newer" % sys.version_info[:2])'

.PHONY: help
help: ## Show what there is to make
	@sed -nE 's/^([a-z-]+):.*## (.*)/\1\t\2/p' $(MAKEFILE_LIST) | expand -t 17
	@echo
	@echo 'up, waterfall, preview, preview-comment, down and env with CONTEXT=NAME work on a cluster of your kubeconfig, not on the lab.'

.PHONY: up
up: $(if $(CONTEXT)$(wildcard $(INSTALLED)),,machine) $(INSTALLED) $(STACK_FILE) ## From nothing to a verified exposure on the lab
	$(if $(CONTEXT),,@$(PYTHON) -m lab up)
	@$(ON_STACK); export PULUMI_DEBUG_COMMANDS=true; pulumi up --stack $(STACK) --yes --skip-preview \
		--event-log >($(PYTHON) -m bench record $(NOTES)) && wait $$!

.PHONY: preview
preview: $(INSTALLED) $(STACK_FILE) ## Show what an update of the stack would change
	@$(ON_STACK); pulumi preview --stack $(STACK) --diff

.PHONY: preview-comment
preview-comment: $(INSTALLED) $(STACK_FILE) ## Show the same in Markdown, as a comment for a pull request
	@{ $(ON_STACK); } >&2; $(PYTHON) -m components comment --stack $(STACK)

.PHONY: down
ifdef CONTEXT
down: $(INSTALLED)
	@$(SAME_CLUSTER); pulumi destroy --stack $(STACK) --yes --skip-preview
else
down: $(INSTALLED) ## Destroy the stack, then remove the lab
	@if $(PYTHON) -m lab status >/dev/null 2>&1; then \
		$(ON_LAB); \
		if pulumi stack select $(STACK) 2>/dev/null; then \
			pulumi destroy --stack $(STACK) --yes --skip-preview || { \
				echo '`$(PYTHON) -m lab down` removes the lab with all that is in it' >&2; exit 1; \
			}; \
		fi; \
	fi
	@$(PYTHON) -m lab down
endif

.PHONY: env
env: $(INSTALLED) ## Print the exports for a shell that works on the stack
	$(if $(CONTEXT),,@$(PYTHON) -m lab env)
	@echo 'export PULUMI_STACK=$(STACK)'

.PHONY: waterfall
waterfall: $(INSTALLED) $(STACK_FILE) ## Draw the last update of `make up`, and what it waited for
	@{ $(ON_STACK); } >&2; $(PYTHON) -m bench waterfall --stack $(STACK) $(NOTES) $(NOTES).svg

.PHONY: bench
bench: export LAB_STATE = $(CURDIR)/.lab-bench
bench: $(INSTALLED) ## Measure beside other ways, on a lab of its own, and write docs/performance.md
	@$(PYTHON) -m lab up --ztunnel none
	@$(ON_LAB); status=0; $(PYTHON) -m bench run || status=$$?; $(PYTHON) -m lab down; exit $$status

.PHONY: faults
faults: export LAB_STATE = $(CURDIR)/.lab-faults
faults: $(INSTALLED_DEV) ## Break things on a lab of its own, and write docs/robustness.md [ROUNDS=5 SEED=N FAULT=NAME]
	@$(PYTHON) -m lab up --ztunnel none
	@$(ON_LAB); status=0; $(PYTHON) -m faults $(if $(ROUNDS),--rounds $(ROUNDS)) $(if $(SEED),--seed $(SEED)) \
		$(if $(FAULT),--fault $(FAULT)) || status=$$?; $(PYTHON) -m lab down; exit $$status

.PHONY: generate
generate: $(INSTALLED_DEV) ## Make types, limits, the reference and the roles anew, from CRDs and code
	$(PYTHON) -m generate api
	$(PYTHON) -m generate reference
	$(PYTHON) -m generate rights

.PHONY: lock
lock: $(INSTALLED_DEV) ## Pin what pyproject.toml asks for; with UPGRADE=yes at the newest releases
	$(LOCK) pyproject.toml $(if $(UPGRADE),--upgrade) $(HASHED) --group dev --output-file requirements-dev.txt
	$(LOCK) pyproject.toml $(HASHED) --constraint requirements-dev.txt --output-file requirements.txt
	@# Without hashes, as there are none of the checkout, which the examples install beside them.
	$(LOCK) pyproject.toml --constraint requirements.txt --output-file constraints.txt
	@# By itself: it asks for an older protobuf.
	$(LOCK) policy/requirements.in $(if $(UPGRADE),--upgrade) $(HASHED) --output-file policy/requirements.txt

.PHONY: dev
dev: $(INSTALLED_DEV) ## Install what development needs, and the hooks of git
	$(VENV)/bin/pre-commit install

.PHONY: docs
docs: $(INSTALLED_DEV) ## Make a site of the pages, .site/html; a link that leads nowhere fails
	@rm -rf .site; mkdir -p .site/pages; cp zensical.toml .site
	@# Each where it is in the repository, with what pages link to.
	@tar -c --exclude .venv --exclude __pycache__ -f - $(PAGES) | tar -x -f - -C .site/pages
	$(VENV)/bin/zensical build --strict --config-file .site/zensical.toml
	@# Hidden folders are left out by it.
	@cp -R .site/pages/.github .site/html

.PHONY: docs-test
docs-test: docs ## Run of the tests what is about the pages: links, commands, the tour on a lab
	$(PYTHON) -m pytest tests/unit/test_docs*.py tests/lab/test_tour.py

.PHONY: test
test: lint unit docs lab-test ## Run every check, the quick ones first

.PHONY: lint
lint: $(INSTALLED_DEV) ## Check style and types
	$(VENV)/bin/ruff format --check --quiet
	$(VENV)/bin/ruff check --quiet
	$(VENV)/bin/shellcheck .ci/run policy/lab/python3 scripts/*.sh
	$(VENV)/bin/shellcheck --shell=sh components/parts/probe.sh components/commands/report_page.sh
	$(VENV)/bin/zizmor --offline --quiet .github
	$(VENV)/bin/mypy
	@# One by one, as all are called __main__.
	for program in examples/*/__main__.py policy/__main__.py; do $(VENV)/bin/mypy "$$program"; done
	$(VENV)/bin/pyright

.PHONY: unit
unit: $(INSTALLED_DEV) ## Run the tests that need no cluster; in CI with their coverage, which takes longer
	$(PYTHON) -m pytest --numprocesses 2 $(if $(CI),--cov components --cov-branch \
		--cov-report= --cov-fail-under 95) tests/unit

.PHONY: lab-test
lab-test: $(INSTALLED_DEV) ## Run the tests on a lab of their own, with the real engine and cluster
	$(if $(PREVIEWED),LAB_PREVIEWED=yes) $(PYTHON) -m pytest --verbose --numprocesses 2 --dist loadfile tests/lab

# Before anything is installed.
.PHONY: machine
machine:
	@$(PYTHON_IS_NEW_ENOUGH)
	@python3 -m lab check

# Git ignores the copy, so that `pulumi config set` changes no tracked file.
$(STACK_FILE):
	@{ \
		printf 'config:\n  ambient-exposure:cluster: {context: "%s"}\n' '$(or $(CONTEXT),lab)'; \
		sed '/^config:/d; /^encryptionsalt:/d' Pulumi.dev.yaml; \
	} >$@

$(INSTALLED): requirements.txt
	@$(PYTHON_IS_NEW_ENOUGH)
	@echo "installing Python packages into $(VENV)" >&2
	@python3 -m venv $(VENV)
	@$(PIP_INSTALL) --requirement requirements.txt
	@# The examples import the checkout by the name that the wheel has.
	@site="$$($(PYTHON) -c 'import sysconfig; print(sysconfig.get_path("purelib"))')"; \
		rm -rf "$$site"/ambient_exposure*; ln -s ../../../../components "$$site/ambient_exposure"
	@touch $@

$(INSTALLED_DEV): $(INSTALLED) requirements-dev.txt
	@$(PIP_INSTALL) --requirement requirements-dev.txt
	@touch $@

# Everything a user or a CI runs. `make` alone lists it.
.DEFAULT_GOAL := help
.PHONY: help environment demo up down status reset test lint format bench ci

HISTORY ?=
AS_OF ?=
TIMEZONE ?=
STRATEGY ?=
CUSTOMERS ?=
SOURCES ?=

# uv from PATH, else one of our own beside the data (no installer script, only the package registry).
UV_VERSION := 0.13.9
UV := $(shell command -v uv 2>/dev/null || echo .kizuna/uv/bin/uv)
SYNC = $(UV) sync --locked --quiet --python "$(PYTHON)" --no-python-downloads
PYTHON := $(shell command -v python3.11 2>/dev/null || command -v python3)
KIZUNA := .venv/bin/kizuna
WORLD := $(if $(HISTORY),--history "$(HISTORY)") $(if $(AS_OF),--as-of "$(AS_OF)") $(if $(TIMEZONE),--timezone "$(TIMEZONE)") \
	$(if $(STRATEGY),--strategy "$(STRATEGY)") $(if $(CUSTOMERS),--customers "$(CUSTOMERS)")
ONLY := $(foreach source,$(SOURCES),--source "$(source)")

help: ## list the commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo 'Options of demo and up: CUSTOMERS=<n> | HISTORY=<folder> AS_OF=<date> TIMEZONE=<tz> STRATEGY=<file>'
	@echo 'Of demo: SOURCES="shopify line" reads only these'

environment: .venv/.synced ## create or update .venv from uv.lock

.venv/.synced: pyproject.toml uv.lock
	@command -v $(UV) >/dev/null || { echo "Installing uv $(UV_VERSION) into .kizuna/uv"; \
		$(PYTHON) -m venv .kizuna/uv && .kizuna/uv/bin/python -m pip install --quiet "uv==$(UV_VERSION)"; }
	@# The second try trusts what the machine trusts: behind a company's proxy that is another authority than uv's own list.
	@$(SYNC) || { echo "Trying again with the system's certificates"; $(SYNC) --system-certs; }
	@touch $@

demo: environment ## run the whole path once, on invented customers or a HISTORY, and print what came out
	@$(KIZUNA) demo $(WORLD) $(ONLY)

up: environment ## start the system and keep it running, with the Airflow UI
	@$(KIZUNA) up $(WORLD)

down: environment ## stop the system; the data stays
	@$(KIZUNA) down

status: environment ## what runs, and when each mart was published
	@$(KIZUNA) status

reset: environment ## stop the system and delete its data
	@$(KIZUNA) reset --yes

test: environment ## run every test
	@.venv/bin/pytest --numprocesses 2 --dist loadfile

lint: environment ## ruff, mypy, import-linter, sqlfluff, yamllint, dbt-bouncer
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports
	.venv/bin/yamllint --strict .
	.venv/bin/sqlfluff lint dbt_project/models dbt_project/macros
	.venv/bin/kizuna parse
	.venv/bin/dbt-bouncer --config-file dbt_project/dbt-bouncer.yml

format: environment ## rewrite files the way lint wants them
	.venv/bin/ruff check --fix .
	.venv/bin/ruff format .
	.venv/bin/sqlfluff fix dbt_project/models dbt_project/macros

bench: environment ## measure the path against bare alternatives; ratios in one run
	.venv/bin/python bench

ci: lint test ## what .ci/run runs

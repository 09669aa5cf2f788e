# One command for each thing to do; `make demo` is all it takes to start.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DATA_DIR ?= var
PORT ?= 8000

.PHONY: help install demo test lint format bench chaos walkthrough
.DEFAULT_GOAL := help

help:
	@echo "make demo         start everything on http://127.0.0.1:$(PORT); PORT and DATA_DIR move it"
	@echo "make install      only install what a server needs, in $(VENV)"
	@echo "make test         run the tests; ARGS='-k word' picks some"
	@echo "make lint         style, types, import ladder, migrations, deployment checks"
	@echo "make format       let ruff put the code in shape"
	@echo "make bench        measure against a bare view and against plain REST framework"
	@echo "make chaos        kill processes of a busy instance for 5 minutes, then look for what is lost; ARGS='--minutes 1'"
	@echo "make walkthrough  play an evening against a running demo"

install: $(VENV)/.runtime

demo: $(VENV)/.runtime
	@RELAIS_DEMO=1 PORT=$(PORT) DATA_DIR="$(DATA_DIR)" exec $(BIN)/python manage.py demo

test: $(VENV)/.dev
	DATA_DIR="$(if $(filter file default,$(origin DATA_DIR)),var/test,$(DATA_DIR))" $(BIN)/python -m pytest -n auto --dist loadfile $(ARGS)

lint: export DATA_DIR := $(if $(filter file default,$(origin DATA_DIR)),var/test,$(DATA_DIR))
lint: $(VENV)/.dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python manage.py makemigrations --check --dry-run
	@# As a production instance would be configured; nothing here is a secret.
	RELAIS_DEMO=0 SECRET_KEY=$$($(BIN)/python -c "import secrets; print(secrets.token_urlsafe(50))") \
		ENCRYPTION_KEY=$$($(BIN)/python -c "from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())") \
		ALLOWED_HOSTS=relais.example RELAIS_BASE_URL=https://relais.example DATABASE_URL=postgres://relais@relais.example/relais \
		$(BIN)/python manage.py check --deploy --fail-level WARNING

format: $(VENV)/.dev
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

bench: $(VENV)/.dev
	DATA_DIR="$(if $(filter file default,$(origin DATA_DIR)),var/bench,$(DATA_DIR))" RELAIS_LOG_LEVEL=WARNING $(BIN)/python -m tests.bench $(ARGS)

chaos: $(VENV)/.dev
	DATA_DIR="$(if $(filter file default,$(origin DATA_DIR)),var/chaos,$(DATA_DIR))" $(BIN)/python -m tests.chaos $(ARGS)

walkthrough: $(VENV)/.runtime
	@RELAIS_DEMO=1 PORT=$(PORT) DATA_DIR="$(DATA_DIR)" $(BIN)/python manage.py walkthrough \
		$(if $(filter file default,$(origin PORT)),,--base-url http://127.0.0.1:$(PORT)) $(ARGS)

# Prints the direct dependencies, and those of the extras named; requirements.txt pins them and all that they need.
DIRECT = import sys, tomllib; it = tomllib.load(open('pyproject.toml', 'rb'))['project']; \
	print(*it['dependencies'], *(each for name in sys.argv[1:] for each in it['optional-dependencies'][name]), sep='\n')

# Installed once, and again whenever what is asked for changes.
$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.runtime: $(BIN)/python pyproject.toml requirements.txt
	$(BIN)/python -c "$(DIRECT)" > $@.txt
	$(BIN)/python -m pip install -q --disable-pip-version-check -c requirements.txt -r $@.txt
	@touch $@

$(VENV)/.dev: $(BIN)/python pyproject.toml requirements.txt
	$(BIN)/python -c "$(DIRECT)" dev > $@.txt
	$(BIN)/python -m pip install -q --disable-pip-version-check -c requirements.txt -r $@.txt
	@touch $@ $(VENV)/.runtime

# Each target only calls `python -m twin`, so everything works without make, for instance on Windows.
# Another Python: make demo PYTHON=python3.13     Options: make test ARGS="--only unit -k outbox"

CANDIDATES := python3 python3.13 python3.12 python3.11 python3.14 python
NEW_ENOUGH := import sys; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(shell for p in $(CANDIDATES); do if $$p -c '$(NEW_ENOUGH)' >/dev/null 2>&1; then echo $$p; break; fi; done)
FOUND = $(shell python3 --version 2>/dev/null || python --version 2>/dev/null || echo "no Python at all")
COMMANDS := demo test lint tools data bench soak setup check

.DEFAULT_GOAL := help
.PHONY: help clean $(COMMANDS)

help:
	@echo "make demo    a living fleet in the browser      make test    every check"
	@echo "make setup   install what the app needs         make lint    style, types, layers"
	@echo "make data    download recorded data             make tools   what the tests need"
	@echo "make check   what this machine has              make clean   remove what was made here"
	@echo "make bench   speed and accuracy                 make soak    ten minutes of chaos"

$(COMMANDS):
ifeq ($(strip $(PYTHON)),)
	@echo "twin needs Python 3.11 or newer; found: $(FOUND). See https://www.python.org/downloads/" >&2; exit 2
else
	@$(PYTHON) -m twin $@ $(ARGS)
endif

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build *.egg-info
	find twin pages tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true

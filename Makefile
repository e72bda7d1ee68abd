# Every word here does something on a machine that has Python 3.11, pip and make; the rest is set up in .venv.
PYTHON ?= python3
UV_VERSION := 0.13.9
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.synced
# Matrices here are small: threads of BLAS only wait for each other, for minutes where other work keeps the cores busy.
export OPENBLAS_NUM_THREADS := 1

.PHONY: demo test test-fast check bench docs golden clean

$(BIN)/uv:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet "uv==$(UV_VERSION)"

$(STAMP): $(BIN)/uv pyproject.toml uv.lock
	$(BIN)/uv sync --locked --inexact --python $(BIN)/python --quiet
	touch $@

demo: $(STAMP)       ## the main job on the built-in simulated example
	$(BIN)/surefoot demo --out demo

test: check          ## everything: style, types, the direction of imports, all tests
	$(BIN)/python -m pytest -n 2 --dist worksteal

test-fast: $(STAMP)  ## the tests that take no study
	$(BIN)/python -m pytest -n 2 --dist worksteal -m "not slow" -q

check: $(STAMP)      ## style, types, the direction of imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

STUDIES := positions assess speed calibration totals georef sheets reanchor sbc evidence corrected unrelated nextstrip schedulers
bench: $(STAMP)      ## the heavy studies, hours of them; results belong into benchmarks/RESULTS.md
	$(BIN)/uv sync --locked --inexact --group bench --python $(BIN)/python --quiet
	set -e; for study in $(STUDIES); do $(BIN)/python benchmarks/$$study.py; done

docs: $(STAMP)       ## the documentation site, warnings are errors
	$(BIN)/mkdocs build --strict

golden: $(STAMP)     ## write the expected files anew after a wanted change; read the difference before committing
	$(BIN)/python -m pytest -q tests/readers/test_golden.py --golden

clean:
	rm -rf $(VENV) site dist demo .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache

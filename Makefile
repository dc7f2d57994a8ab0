# Everything a learner or a maintainer does with the repository. Needs Python >= 3.11, git and make.
PYTHON ?= python3
SHELL := /bin/bash
BIN := .venv/bin
WORKERS ?= 2
FILES := settings.ini setup.py constraints.txt
# what the caller has set must not reach in: another environment, or that each process compiles everything anew
unexport PYTHONPATH VIRTUAL_ENV PYTHONDONTWRITEBYTECODE
# a process on each core: threads of each would only wait for one another
test check lessons pythons: export OMP_NUM_THREADS := 1
# Spark runs for seconds: what its Java compiles well, it would compile for nothing
test check lessons: export SPARK_SUBMIT_OPTS := -XX:TieredStopAtLevel=1 -XX:+UseSerialGC

.DEFAULT_GOAL := help
.PHONY: help run test check export lint sync lessons pythons site browser lab student ui stores docs bench mutants lock release clean

help: ## show this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-9s %s\n", $$1, $$2}'

run: .venv/.run ## load, check, backtest, track, register, promote and forecast; ends with a report
	@$(BIN)/mlworkbook run $(ARGS)

test: .venv/.dev ## the whole truth: lint, sync, tests, every lesson, exercises, site
	@$(BIN)/python tools/needs.py
	@$(MAKE) --no-print-directory sync
	@$(MAKE) --no-print-directory -j $(WORKERS) docs pythons lint
	$(BIN)/python -W "ignore::RuntimeWarning:slipcover.importer" -m slipcover --json --out .coverage.json \
		-m pytest tests --ignore tests/test_site.py -n $(WORKERS) --dist loadfile --no-loadscope-reorder -q
	@$(BIN)/python -m slipcover --merge .coverage.json --out .coverage.json --fail-under 95
	@$(MAKE) --no-print-directory lessons browser

check: .venv/.dev lint sync ## the quick half: no lessons, no site, nothing slow
	$(BIN)/python -m pytest tests -m "not slow" -n $(WORKERS) --dist loadfile -q

lint: .venv/.dev
	$(BIN)/ruff check .
	$(BIN)/flake8 mlworkbook
	$(BIN)/mypy
	$(BIN)/nbqa flake8 nbs
	$(BIN)/hadolint infra/Dockerfile
	$(BIN)/actionlint -shellcheck= -pyflakes=
	$(BIN)/zizmor --offline --quiet .github
	$(BIN)/check-jsonschema --quiet --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(BIN)/check-jsonschema --quiet --builtin-schema vendor.dependabot .github/dependabot.yml

sync: .venv/.dev
	@$(BIN)/python tools/sync.py --check

lessons: .venv/.dev
	$(BIN)/python -m pytest --nbval nbs -n $(WORKERS) --dist loadfile --no-loadscope-reorder -q

pythons: .venv/.dev ## import all with the other Pythons of this computer, 3.12 and 3.13; the newest tests a part
	@WORKERS=$(WORKERS) $(BIN)/python tools/pythons.py

site: docs
	@$(MAKE) --no-print-directory browser

browser: .venv/.dev
	$(BIN)/python -m pytest tests/test_site.py -n $(WORKERS) -q

export: .venv/.dev ## regenerate the package and README.es.md from the notebooks
	@$(BIN)/python tools/sync.py

docs: .venv/.dev ## build the site into _site/es
	$(BIN)/sphinx-build -q -W --keep-going -E -b html -c docs nbs _site/es

lab: .venv/.run student ## open the learner's edition in JupyterLab
	@$(BIN)/jupyter lab --notebook-dir $(DEST)

DEST ?= student
student: .venv/.run ## write the learner's edition to DEST (default: student); your work is never overwritten
	@$(BIN)/mlworkbook student $(DEST)

ui: .venv/.run ## look at the runs in MLflow
	@$(BIN)/mlworkbook ui

stores: .venv/.stores ## PostgreSQL, an S3 server and MLflow for a team, until Ctrl-C; ARGS="--port 5000" chooses the address
	@$(BIN)/mlworkbook stores $(ARGS)

bench: .venv/.dev ## measure every figure that the README or the site quotes
	@for file in benchmarks/bench_*.py; do $(BIN)/python $$file || exit 1; done

mutants: .venv/.dev ## test the tests of the modules that others trust, half an hour; ARGS="contract value" does some
	@$(BIN)/python tools/mutants.py $(ARGS)

lock: .venv/.dev ## renew constraints.txt, the tested set of exact versions; ARGS=--keep only adds what is new
	@$(BIN)/python tools/lock.py $(ARGS)

release: .venv/.dev ## build wheel and sdist into dist/ and check them against TAG; nothing is published
	@$(BIN)/python tools/release.py $(TAG)

clean: ## remove what can be made again; never the learner's work
	rm -rf .venv .pythons build dist _site *.egg-info

.venv/bin/uv:
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) was not found: install Python 3.11 or newer, or say which: make run PYTHON=python3.12"; exit 2; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { $(PYTHON) --version; echo "Python 3.11 or newer is needed: make run PYTHON=python3.12"; exit 2; }
	@echo "Creating .venv and installing: once, about a minute"
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt uv

.venv/.run: $(FILES) | .venv/bin/uv
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --constraint constraints.txt --editable ".[course]"
	@touch $@

.venv/.stores: $(FILES) | .venv/.run
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --constraint constraints.txt --editable ".[course,aws,stores]"
	@touch $@

.venv/.dev: $(FILES) | .venv/bin/uv
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --constraint constraints.txt --editable ".[course,dev,docs,spark,formats,aws,service,jira,stores]"
	@touch $@ .venv/.run .venv/.stores

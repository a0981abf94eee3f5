# The two main commands are `make table_vi` and `make test`. They create .venv first if it does not exist.
# PYTHON selects another interpreter (3.11 to 3.13): make setup PYTHON=python3.12

PYTHON ?= python3
BIN := .venv/bin
export PATH := $(CURDIR)/$(BIN):$(PATH)

.PHONY: table_vi pins kd_methods all test test_long report crate bench gpu_check chaos setup using lint lock clean

table_vi: .venv/ready
	snakemake --cores 4 results/tables/table_vi.md

PINS := $(foreach n,1 2 3 4 5 6,results/tables/pins_table_$n.md) $(foreach n,2 3 4 8 9 10,results/figures/pins_fig_$n.png)
pins: .venv/ready
	snakemake --cores 4 $(PINS)

# A comparison of 30 methods, beside the default: `cellar use sample` takes it out of params.yaml again.
kd_methods: .venv/ready
	cellar use sample kd_methods/sample
	snakemake --cores 4 results/tables/kd_methods/resnet20-resnet8.md results/figures/kd_methods/gains.png

all: .venv/ready
	snakemake --cores 4

WORKERS := --numprocesses logical --maxprocesses 4 --dist loadfile --no-loadscope-reorder
test: .venv/ready
	pytest -m "not long" $(WORKERS)

# Whole builds, servers, Slurm, machine faults. A test that needs a missing program or permission is skipped, with the reason.
test_long: .venv/ready
	pytest -m long $(WORKERS)

report: .venv/ready
	python -m cellar report

crate: .venv/ready
	python -m cellar crate

bench: .venv/ready
	python benchmarks/freed_memory.py
	python benchmarks/ceilings.py
	python benchmarks/small_maps.py
	python benchmarks/distillation.py
	python benchmarks/scaling.py
	python benchmarks/table_2.py
	python benchmarks/side_by_side.py
	python benchmarks/page.py

# On one GPU, 8 minutes at most; without one it checks itself on the CPU, and its result says so. Downloads nothing.
gpu_check: .venv/ready
	python benchmarks/gpu_check.py; code=$$?; python benchmarks/page.py; exit $$code

# Kills a small build repeatedly, then compares its bytes with those of an undisturbed build.
chaos: .venv/ready
	python -m tests.workflow.chaos --kills 20 --seconds 900

setup: .venv/ready

# `ready` is written last, so an interrupted set-up starts again.
.venv/ready: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' || { echo "cellar: $$($(PYTHON) --version) is not 3.11 to 3.13; name one that is: make setup PYTHON=python3.12" >&2; exit 1; }
	$(PYTHON) -m venv --clear .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes --requirement requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch .venv/ready

# What exporting and using a student needs beside the pipeline (docs/using.md).
using: .venv/ready
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes --requirement profiles/using/requirements.lock

lint: .venv/ready
	ruff check .
	ruff format --check .
	mypy

COMPILE := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url
# Needs uv. The lock file names no package index, so pip's own configuration applies.
lock:
	$(COMPILE) --group dev pyproject.toml --output-file requirements.lock
	$(COMPILE) --no-deps --group slurm --output-file profiles/slurm/requirements.lock
	$(COMPILE) --no-deps --group using --output-file profiles/using/requirements.lock

clean:
	rm -rf .snakemake logs .cache

# What every rule file uses: the plan, the inputs and the DVC name of a stage, and how a stage is run.
import shlex
import sys
from pathlib import Path

sys.path.insert(0, str(Path(workflow.basedir) / "workflow" / "lib"))
import own_gpu
import planning
import terminal

PLAN = planning.open_plan(workflow)
THREADS = PLAN.params.threads

terminal.at_exit(workflow)

# `tee` shows progress while it runs and keeps it; bash's pipefail keeps the exit code.
DVC = "dvc --wait-for-lock repro --quiet --single-item"
OWN_GPU = f"{shlex.quote(sys.executable)} {shlex.quote(str(Path(workflow.basedir) / 'workflow/lib/own_gpu.py'))}"

shell.prefix(planning.SHELL_PREFIX)


def inputs_of(family):
    """What a stage reads, and the marker that is newer than its outputs when DVC would run it."""
    return lambda wildcards: PLAN.inputs(family, wildcards)


def stage_of(family):
    """How DVC addresses the stage of a job."""
    return lambda wildcards: PLAN.address(family, wildcards)


def gpus(count):
    """How many GPUs a job takes: none where there are none, for jobs would wait for them."""
    return count if own_gpu.visible() or workflow.non_local_exec else 0


def one_gpu(wildcards):
    return gpus(1)


def gpus_of(family):
    """One for each of the processes of a training."""
    return lambda wildcards: gpus(PLAN.processes(family, wildcards))


def threads_of(family):
    """How many threads a training takes: its processes have THREADS each."""
    return lambda wildcards: THREADS * PLAN.processes(family, wildcards)


def one_of(field, family):
    """Keep a wildcard to what params.yaml asks of a family."""
    return PLAN.pattern(field, family)

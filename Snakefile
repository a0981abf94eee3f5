# Snakemake owns when and where a stage runs: order, cores, GPU slots, logs, retries, clusters.
# DVC owns what it runs: command, hashed inputs, settings, outputs. Both read one declaration: src/cellar/pipeline/stages.
import shlex
import sys
from pathlib import Path

from snakemake.utils import min_version

min_version("9.20")
sys.path.insert(0, str(Path(workflow.basedir) / "workflow" / "lib"))
import planning
import scheduling
import slurm_queue
import terminal

from cellar.pipeline import dvc


report: "workflow/captions/workflow.rst"


PLAN = planning.open_plan(workflow)
terminal.at_exit(workflow)
shell.prefix(planning.SHELL_PREFIX)

# `tee` shows progress while it runs and keeps it, to the stage's last line after Ctrl-C; bash's pipefail keeps the exit code.
REPRO = shlex.join(dvc.REPRO)
OWN_GPU = shlex.join([sys.executable, str(Path(workflow.basedir) / "workflow/lib/own_gpu.py")])


# On a cluster these run where snakemake runs: they take seconds, and a job's turn takes longer.
localrules:
    tabulate,
    plot,
    count_models,
    index,


rule all:
    default_target: True
    input:
        PLAN.default_targets(),


for kind in PLAN.kinds:

    rule:
        name:
            kind.name
        input:
            PLAN.inputs_of(kind),
        output:
            [
                report(path, **planning.caption(kind)) if path.endswith((".md", ".png")) and planning.caption(kind) else path
                for path in PLAN.outputs_of(kind)
            ],
        wildcard_constraints:
            item=PLAN.pattern_of(kind),
        log:
            PLAN.log_of(kind),
        params:
            stage=PLAN.address_of(kind),
        threads: PLAN.threads_of(kind)
        resources:
            torch=PLAN.torch_threads_of(kind),
            gpu=PLAN.gpus_of(kind),
        shell:
            "{OWN_GPU} {resources.gpu} {REPRO} {params.stage} 2>&1 | tee --ignore-interrupts {log}"


onstart:
    PLAN.force()
    scheduling.look_when_a_job_ends(workflow)
    slurm_queue.watch(workflow)


onsuccess:
    terminal.ended(succeeded=True)


onerror:
    terminal.ended(succeeded=False)

# Snakemake owns when and where a stage runs: order, cores, GPU slots, logs, retries, clusters.
# dvc.yaml owns what it runs: command, hashed inputs, parameters, outputs. Both come from params.yaml.
from snakemake.utils import min_version

min_version("9.20")


report: "workflow/captions/workflow.rst"


include: "workflow/rules/common.smk"
include: "workflow/rules/data.smk"
include: "workflow/rules/teachers.smk"
include: "workflow/rules/students.smk"
include: "workflow/rules/evaluation.smk"
include: "workflow/rules/faces.smk"
include: "workflow/rules/report.smk"


# On a cluster these are made where snakemake runs: they take seconds, and a job's turn takes longer.
localrules:
    tabulate,
    plot,
    count_models,


rule all:
    default_target: True
    input:
        PLAN.default_targets(),


onerror:
    terminal.failed()

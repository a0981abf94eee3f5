"""The plan of params.yaml as Snakemake needs it: inputs, addresses and wildcards of its rules.

When the Snakefile is parsed, params.yaml is checked, dvc.yaml is brought up to date with it, and DVC is asked
which stages are out of date (see stale.py). A mistake in params.yaml is one line, and nothing is run.
"""

import re
import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import own_gpu
import owner
import stale
from snakemake import cli

from cellar import config
from cellar.errors import CellarError
from cellar.pipeline import dvc_yaml, plan
from cellar.pipeline.plan import Stage

# A stage finds this interpreter's dvc and python first, whether or not the environment is activated.
# bash's own safeguards come back with it: a prefix of ours replaces Snakemake's.
SHELL_PREFIX = f"set -euo pipefail; export PATH={shlex.quote(str(Path(sys.executable).parent))}:$PATH; "


class Plan:
    """Stages by family, and the fields that tell them apart."""

    def __init__(self, loaded: config.Params) -> None:
        self.params = loaded
        self.main = plan.families(loaded)
        self.sweeps = plan.sweep_families(loaded)
        self.jobs: dict[str, list[tuple[dict[str, str], Stage, str]]] = {}
        for prefix, families in (("", self.main), (f"{plan.SWEEPS}:", self.sweeps)):
            for family in families:
                fields = family.items.values() if family.items else [{"label": family.label}]
                for item, stage in zip(fields, family.stages(), strict=True):
                    self.jobs.setdefault(family.name, []).append((item, stage, prefix + stage.name))

    def job(self, family: str, wildcards: Mapping[str, str]) -> tuple[dict[str, str], Stage, str]:
        """What a rule's wildcards mean: fields, stage, and its address; a label has one wildcard of any name."""
        for item, stage, address in self.jobs[family]:
            if all(item.get(name, item.get("label")) == value for name, value in wildcards.items()):
                return item, stage, address
        raise CellarError(f"params.yaml asks for no {family} of {dict(wildcards)}")

    def chain(self, targets: Sequence[str]) -> list[str]:
        """Addresses of the stages that target files need, each after those that it needs itself; of all stages without
        targets, or when one is no stage's output (a rule's name, say)."""
        here = plan.MAIN, *([plan.SWEEPS] if plan.SWEEPS.exists() else [])
        jobs = [
            (stage, address)
            for listed in self.jobs.values()
            for _, stage, address in listed
            if Path(address.rpartition(":")[0] or plan.MAIN) in here
        ]
        makers = {out: (stage, address) for stage, address in jobs for out in stage.outputs}
        found: dict[str, None] = {}

        def need(stage: Stage, address: str) -> None:
            for name in stage.inputs:
                if name in makers and makers[name][1] not in found:
                    need(*makers[name])
            found[address] = None

        for job in [makers[name] for name in targets] if targets and makers.keys() >= set(targets) else jobs:
            need(*job)
        return list(found)

    def inputs(self, family: str, wildcards: Any) -> list[str]:
        _, stage, address = self.job(family, dict(wildcards.items()))
        return [stale.marker(address), *stage.inputs]

    def address(self, family: str, wildcards: Any) -> str:
        return self.job(family, dict(wildcards.items()))[2]

    def processes(self, family: str, wildcards: Any) -> int:
        """By how many a training is done."""
        item, _, _ = self.job(family, dict(wildcards.items()))
        return self.params.recipes[item["recipe"]].processes

    def pattern(self, field: str, family: str) -> str:
        """A regular expression of what a wildcard may be; one that matches nothing if there is no such stage."""
        values = {item[field] for item, _, _ in self.jobs.get(family, [])}
        return "|".join(sorted(map(re.escape, values))) or "(?!)"

    def default_targets(self) -> list[str]:
        """What `snakemake` builds without a target, and nothing of the sweeps: tables, figures and all metrics."""
        shown = [family for family in self.main if family.metrics or (family.label and not family.takes_items)]
        return [out for family in shown for stage in family.stages() for out in stage.outputs]


def open_plan(workflow: Any) -> Plan:
    """Check params.yaml and bring dvc.yaml and the markers up to date. Only the main process does."""
    try:
        loaded = config.load()
        planned = Plan(loaded)
        if workflow.is_main_process:
            check_data(loaded)
            check_gpus(loaded, workflow.global_resources.get("gpu"))
            owner.clear_dead_lock()
            wanted = targets()
            of_sweeps = any(f"/{name}." in target for name in loaded.sweeps for target in wanted)
            for path in dvc_yaml.write(loaded, sweeps=of_sweeps):
                print(
                    f"cellar: {path} written anew: lines of params.yaml or imports have changed",
                    file=sys.stderr,
                )
            stale.refresh(planned.chain(wanted))
    except CellarError as error:
        print(f"cellar: {error}", file=sys.stderr)
        sys.exit(1)
    return planned


def targets() -> list[str]:
    """The targets on Snakemake's command line, which it tells the Snakefile nothing of; [] when there is none."""
    if Path(sys.argv[0]).name not in ("snakemake", "__main__.py"):
        return []
    known, _ = cli.get_argument_parser().parse_known_args(sys.argv[1:])
    return sorted(known.targets or [])


def check_gpus(loaded: config.Params, allowed: Any) -> None:
    """Snakemake cuts what a job asks for down to what it may hand out, without a word."""
    most = getattr(allowed, "value", allowed)
    for name, recipe in loaded.recipes.items():
        if len(own_gpu.visible()) > 1 and isinstance(most, int) and recipe.processes > most:
            raise CellarError(
                f"recipes.{name} asks for processes: {recipe.processes}, a GPU each, and snakemake may hand out {most}; "
                f"say so: snakemake --resources torch={loaded.threads * recipe.processes} gpu={recipe.processes} …"
            )


def check_data(loaded: config.Params) -> None:
    """Raw data and published weights that are not here are said at once, not after an hour."""
    for name, section in loaded.datasets.items():
        if section.enabled and not section.source.draw and not Path(section.path).exists():
            raise CellarError(
                f"datasets.{name}: {section.path} is not here; get it with `cellar download {name}`, "
                f"put it there by hand (data/README.md), or set enabled: false"
            )
    known = {section.path: name for name, section in loaded.published.items()}
    for where, path in loaded.needed_weights().items():
        if not Path(path).is_file():
            how = f"get it with `cellar download {known[path]}`" if path in known else "put it there"
            raise CellarError(f"{where}: {path} is not here; {how}, or take the key out to train from nothing")

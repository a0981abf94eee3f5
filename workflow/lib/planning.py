"""The plan of params.yaml as Snakemake needs it: inputs, outputs, resources and DVC addresses of its rules.

When the Snakefile is parsed, params.yaml is checked, dvc.yaml is brought up to date with it, and DVC is asked which stages
are out of date (see stale.py). A mistake in params.yaml is one line, and nothing is run.
"""

import itertools
import os
import re
import shlex
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import own_gpu
import owner
import stale
from snakemake.io import directory

from cellar import config as configuration
from cellar import paths
from cellar.config import Config
from cellar.data.readers import readable
from cellar.errors import CellarError, one_line
from cellar.pipeline import dvc, dvc_yaml, git, line_ends, plan, repro, surroundings
from cellar.pipeline.stage import Stage, StageKind

# A stage finds this interpreter's dvc and python first, whether or not the environment is activated.
# bash's own safeguards come back with it: a prefix of ours replaces Snakemake's.
SHELL_PREFIX = f"set -euo pipefail; export PATH={shlex.quote(str(Path(sys.executable).parent))}:$PATH; "
TAKES_FILES = re.compile(r"-[a-zA-Z]*[RPUO]|--(forcerun|prioritize|until|omit-from)\b")  # options, as many as follow
ALL_CORES = 1024  # as many as --cores has
CAPTIONS = {"tabulate": "table", "plot": "figure"}

OfJob = Callable[[Any], Any]  # wildcards -> what Snakemake asks of that job


class Plan:
    """Stages by kind and item, and what Snakemake's rules ask of them."""

    def __init__(self, config: Config, workflow: Any) -> None:
        self.config, self.workflow = config, workflow
        self.stages = plan.stages(config)
        used = [stage.kind for stage in self.stages if stage.has_settings]  # all but `resolve`, which runs before
        self.kinds = [kind for kind in plan.KINDS.values() if kind in used]
        self.jobs = {(stage.kind.name, stage.job.item): stage for stage in self.stages}

    def stage(self, kind: StageKind, wildcards: Any) -> Stage:
        return self.jobs[kind.name, getattr(wildcards, "item", "")]

    def inputs_of(self, kind: StageKind) -> OfJob:
        """What a stage reads, and the marker that is newer than its outputs when DVC would run it."""

        def inputs(wildcards: Any) -> list[str]:
            stage = self.stage(kind, wildcards)
            resolved = [str(stage.resolved)] if stage.has_settings else []
            return [stale.marker(stage.address), *resolved, *stage.inputs]

        return inputs

    def outputs_of(self, kind: StageKind) -> list[Any]:
        """Templates with the wildcard {item}; a kind with one stage has none."""
        single = next((stage for stage in self.stages if stage.kind is kind and not stage.job.item), None)
        if single:
            return list(single.outputs)
        return [directory(path.removesuffix("/")) if path.endswith("/") else path for path in kind.templates]

    def pattern_of(self, kind: StageKind) -> str:
        """A regular expression that matches the items of a kind, and nothing else."""
        return "|".join(sorted(re.escape(stage.job.item) for stage in self.stages if stage.kind is kind))

    def log_of(self, kind: StageKind) -> str:
        many = any("{item}" in template for template in kind.templates)
        return f"logs/{kind.name}/{{item}}.log" if many else f"logs/{kind.name}.log"

    def address_of(self, kind: StageKind) -> OfJob:
        return lambda wildcards: self.stage(kind, wildcards).address

    def threads_of(self, kind: StageKind) -> OfJob | int:
        """What the job takes of --cores: a training's processes have the configured threads each."""
        if kind.alone:
            return ALL_CORES
        return self.torch_threads_of(kind) if kind.torch else 1

    def torch_threads_of(self, kind: StageKind) -> OfJob | int:
        if not kind.torch:
            return 0
        return lambda wildcards: self.config.threads * self.stage(kind, wildcards).job.processes

    def gpus_of(self, kind: StageKind) -> OfJob | int:
        """A GPU for each process of a torch stage; none where there are none, for jobs would wait for them."""
        if not kind.torch:
            return 0

        def gpus(wildcards: Any) -> int:
            there = (
                own_gpu.visible() or self.workflow.non_local_exec
            )  # which Snakemake knows only once all rules are read
            return self.stage(kind, wildcards).job.processes if there else 0

        return gpus

    def force(self) -> None:
        """Pass on what the command line forces to run (-f, -F, -R), to jobs on a cluster too: DVC alone would find nothing changed."""
        rules, files = self.workflow.dag.forcerules, set(map(str, self.workflow.dag.forcefiles))
        stages = (stage.address for stage in self.stages if not files.isdisjoint(stage.outputs))
        os.environ[repro.FORCED] = " ".join([*(rule.name for rule in rules), *stages])

    def default_targets(self) -> list[str]:
        """What `snakemake` builds without a target: tables, figures and metrics, but for those of sweeps."""
        shown = [stage for stage in self.stages if not stage.job.sweep and stage.kind.name in ("index", "audit")]
        return [path for stage in shown for path in stage.outputs] + [
            path for stage in self.stages if not stage.job.sweep for path in stage.filled(stage.kind.metrics)
        ]

    def named(self) -> list[str]:
        """The files of the plan that Snakemake's command line names, which it does not pass to the Snakefile. (Its own
        parser takes a quarter of a second.)"""
        made = {path for stage in self.stages for path in stage.outputs}
        return [path for path in (os.path.relpath(word) for word in sys.argv[1:] if word) if path in made]

    def targets(self) -> list[str]:
        """The named files; none if they need not be all that is built: all stages are then looked at. A rule may be named
        too, or an option may take the files for its own."""
        words = sys.argv[1:]
        rules = {"all", *(kind.name for kind in self.kinds)}
        if rules & set(words) or any(map(TAKES_FILES.match, itertools.takewhile(lambda word: word != "--", words))):
            return []
        return self.named()

    def chain(self, targets: Sequence[str]) -> list[Stage]:
        """The stages that target files need, each after those that it needs itself; all stages without targets."""
        here = [stage for stage in self.stages if stage.file.exists()]
        makers = {path: stage for stage in here for path in stage.outputs}
        resolve = next(stage for stage in here if not stage.has_settings)
        needed = {resolve.address: resolve}

        def need(stage: Stage) -> None:
            for path in stage.inputs:
                if path in makers and makers[path].address not in needed:
                    need(makers[path])
            needed[stage.address] = stage

        for stage in [makers[path] for path in targets] or here:
            need(stage)
        return list(needed.values())


def caption(kind: StageKind) -> dict[str, Any]:
    """Where the outputs of a kind stand in Snakemake's own report; {} for what it does not show."""
    if kind.name not in CAPTIONS:
        return {}
    word = CAPTIONS[kind.name]
    return {"category": f"{word}s", "labels": {word: "{item}"}, "caption": f"workflow/captions/{word}.rst"}


def open_plan(workflow: Any) -> Plan:
    """Check params.yaml and bring dvc.yaml and the markers up to date. Only the main process does."""
    surroundings.provide()
    try:
        config = configuration.load()
        planned = Plan(config, workflow)
        if workflow.is_main_process:
            git.check()
            check_data(config)
            for line in dvc.added_outputs(planned.stages):
                raise CellarError(line)
            line_ends.check()
            paths.check_not_linked(path for stage in planned.stages for path in stage.outputs)
            owner.clear_dead_lock()
            named = planned.named()
            of_sweeps = any(path in named for stage in planned.stages if stage.job.sweep for path in stage.outputs)
            for path in dvc_yaml.write(planned.stages, sweeps=of_sweeps):
                print(f"cellar: {path} rewritten: entries of params.yaml have changed", file=sys.stderr)
            needed = planned.chain(planned.targets())
            check_gpus(config, needed, workflow.global_resources.get("gpu"))
            stale.refresh(needed)
    except CellarError as error:
        print(f"cellar: {one_line(str(error))}", file=sys.stderr)
        sys.exit(1)
    except OSError as error:  # such as a checkout that may only be read
        where = error.filename or "this folder"
        print(f"cellar: {where}: {error.strerror or error}; snakemake writes here, dry runs too", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        print("cellar: interrupted before anything ran; run the same command again", file=sys.stderr)
        sys.exit(130)
    return planned


def check_gpus(config: Config, stages: Sequence[Stage], allowed: Any) -> None:
    """Snakemake silently lowers what a job asks for to what it may hand out."""
    most = getattr(allowed, "value", allowed)
    if not isinstance(most, int) or len(own_gpu.visible()) < 2:
        return
    for stage in stages:
        if (processes := stage.job.processes) > most:
            raise CellarError(
                f"{key_of(config, stage)}: its recipe asks for processes: {processes}, a GPU each, and snakemake may "
                f"hand out {most}; say so: snakemake --resources torch={config.threads * processes} gpu={processes} …"
            )


def key_of(config: Config, training: Stage) -> str:
    """The dotted key of its line in params.yaml."""
    kind, key = training.job.settings.kind, training.job.settings.key
    if kind == "teachers":
        return config.declaring(kind)[key].place(kind, key)
    study, _, name = key.partition("/")
    return config.params(study).place("experiments", name)


def check_data(config: Config) -> None:
    """Missing and unreadable raw data and published weights are reported at once, not after an hour."""
    for name, section in config.datasets.items():
        if not section.enabled or section.source.synthetic:
            continue
        readable.check(Path(section.path))
        if not Path(section.path).exists():
            raise CellarError(
                f"datasets.{name}: {section.path} does not exist; get it with `cellar download {name}`, "
                f"put it there by hand (data/README.md), or set enabled: false"
            )
    for params in config.studies.values():
        known = {section.path: name for name, section in params.published.items()}
        for faces in params.used_faces():
            if folder := params.faces[faces].folder:
                readable.check(Path(folder))
        for where, path in params.needed_weights().items():
            readable.check(Path(path))
            if not Path(path).is_file():
                how = f"get it with `cellar download {known[path]}`" if path in known else "put it there"
                raise CellarError(f"{where}: {path} does not exist; {how}, or take the key out to train from nothing")

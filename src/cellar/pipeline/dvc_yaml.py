"""The plan as DVC reads it: a dvc.yaml at the root for what studies share, one for each study, one for its sweeps."""

import json
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from cellar import files
from cellar.config import Config
from cellar.pipeline import locks, plan
from cellar.pipeline.stage import MAIN, Stage

HEADER = """\
# Written by `cellar plan` from params.yaml, which says what runs; Snakemake writes it anew when it must.
# After adding or removing lines of params.yaml run `cellar plan`, or snakemake; changed values need neither.
"""
PLAIN = re.compile(r"[A-Za-z]([\w./@+= -]*[\w./@+=-])?")  # needs no quotes in YAML, but for
WORDS = {
    "y",
    "n",
    "yes",
    "no",
    "on",
    "off",
    "true",
    "false",
    "null",
}  # which one version of it or another reads otherwise


def render(stages: Iterable[Stage]) -> str:
    """One entry a stage. Written line by line, for PyYAML takes a second for all of them."""
    return "\n".join([f"{HEADER}stages:", *(line for stage in stages for line in entry(stage))]) + "\n"


def entry(stage: Stage) -> Iterator[str]:
    root = os.path.relpath(".", stage.file.parent)
    yield f"  {stage.name}:"
    if root != ".":
        yield f"    wdir: {root}"
    yield f"    cmd: {quoted(stage.command)}"
    yield from listed("deps", stage.inputs)
    if stage.has_settings:
        yield from ("    params:", f"      - {quoted(str(stage.resolved))}:", f"          - {stage.name}")
    yield from listed("outs", stage.outs, stage.filled(stage.kind.tracked))
    yield from listed("metrics", (), stage.filled(stage.kind.metrics))
    if stage.plots:
        yield "    plots:"
    for path, options in stage.plots.items():
        yield f"      - {quoted(path)}:"
        yield from (f"          {key}: {quoted(value)}" for key, value in options.items())


def listed(key: str, cached: Iterable[str], in_git: Iterable[str] = ()) -> Iterator[str]:
    """A list of paths; those in git are kept out of DVC's cache."""
    lines = [f"      - {quoted(path)}" for path in cached]
    lines += [line for path in in_git for line in (f"      - {quoted(path)}:", "          cache: false")]
    if lines:
        yield from (f"    {key}:", *lines)


def quoted(text: str) -> str:
    is_plain = PLAIN.fullmatch(text) and text.lower() not in WORDS
    return text if is_plain else json.dumps(text, ensure_ascii=False)


def by_file(stages: Iterable[Stage], sweeps: bool) -> dict[Path, list[Stage]]:
    """Pipeline file -> its stages. A file of sweeps is there once one of its study has been asked for: `dvc pull` fails on
    stages that never ran."""
    found: dict[Path, list[Stage]] = {}
    for stage in stages:
        if not stage.job.sweep or sweeps or stage.file.exists():
            found.setdefault(stage.file, []).append(stage)
    return found


def written() -> list[Path]:
    """The pipeline files that are there."""
    of_studies = [*sorted(Path("studies").glob("*/dvc.yaml")), *sorted(Path("studies").glob("*/sweeps/dvc.yaml"))]
    return [path for path in (MAIN, *of_studies) if path.exists()]


def outdated(config: Config, sweeps: bool = False, planned: list[Stage] | None = None) -> list[Path]:
    """The pipeline files that do not say what params.yaml and the code say. `planned`: the plan, if it is at hand."""
    texts = {file: render(stages) for file, stages in by_file(planned or plan.stages(config), sweeps).items()}
    return [path for path in dict.fromkeys([*texts, *written()]) if text_of(path) != texts.get(path, "")]


def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""


def write(config: Config, sweeps: bool = False) -> list[Path]:
    """Write the pipeline files that are out of date, and return them; what their locks say of stages that are gone, goes.

    `sweeps`: those of the sweeps too.
    """
    stages = plan.stages(config)
    planned, changed = by_file(stages, sweeps), outdated(config, sweeps, stages)
    for path in changed:
        if path in planned:
            files.write_text(path, render(planned[path]))
            locks.prune(path.with_suffix(".lock"), [stage.name for stage in planned[path]])
        else:
            path.unlink()
            path.with_suffix(".lock").unlink(missing_ok=True)
    return changed

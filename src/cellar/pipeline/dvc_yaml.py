"""The plan as DVC reads it: dvc.yaml files of what studies share and of each study: trainings, results, sweeps."""

import json
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from cellar import files, paths
from cellar.pipeline import locks
from cellar.pipeline.stage import Stage

HEADER = """\
# Generated from params.yaml by `cellar plan`; do not edit. Snakemake runs `cellar plan` when needed.
# After a change of params.yaml, DVC's first stage, `resolve`, says if `cellar plan` is needed.
"""
PLAIN = re.compile(r"[A-Za-z]([\w./@+= -]*[\w./@+=-])?")  # needs no quotes in YAML, except:
WORDS = {"y", "n", "yes", "no", "on", "off", "true", "false", "null"}  # booleans and null in YAML 1.1 or 1.2


def render(stages: Iterable[Stage]) -> str:
    """One entry per stage. Written line by line, because PyYAML takes a second for all of them."""
    return "\n".join([f"{HEADER}stages:", *(line for stage in stages for line in entry(stage))]) + "\n"


def entry(stage: Stage) -> Iterator[str]:
    root = os.path.relpath(".", stage.file.parent)
    yield f"  {stage.name}:"
    if root != ".":
        yield f"    wdir: {root}"
    yield f"    cmd: {quoted(stage.command)}"
    yield from listed("deps", stage.inputs)
    if stage.has_settings:
        yield from ("    params:", f"      - {quoted(str(stage.resolved))}:")  # all of the file
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


def by_file(planned: Iterable[Stage], sweeps: bool) -> dict[Path, list[Stage]]:
    """Pipeline file -> its stages. Stages of sweeps are written only once a sweep of the study has been requested, because
    `dvc pull` fails on stages that never ran."""
    found: dict[Path, list[Stage]] = {}
    for stage in planned:
        if not stage.job.sweep or sweeps or stage.file.exists():
            found.setdefault(stage.file, []).append(stage)
    return found


def outdated(planned: Iterable[Stage], sweeps: bool = False) -> list[Path]:
    """The pipeline files whose content differs from the plan."""
    return changed({file: render(stages) for file, stages in by_file(planned, sweeps).items()})


def write(planned: Iterable[Stage], sweeps: bool = False) -> list[Path]:
    """Write the pipeline files that are out of date and return them; entries of vanished stages leave their locks.

    `sweeps`: also write the stages of sweeps.
    """
    stages = by_file(planned, sweeps)
    texts = {file: render(found) for file, found in stages.items()}
    written = changed(texts)
    for path in written:
        if path in texts:
            files.write_text(path, texts[path])
            locks.prune(path.with_suffix(".lock"), [stage.name for stage in stages[path]])
        else:
            path.unlink()
            path.with_suffix(".lock").unlink(missing_ok=True)
    return written


def changed(texts: dict[Path, str]) -> list[Path]:
    """The pipeline files that are not yet as planned, and those that are no longer planned."""
    return [path for path in dict.fromkeys([*texts, *paths.pipeline_files()]) if text_of(path) != texts.get(path, "")]


def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""

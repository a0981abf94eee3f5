"""What this machine has beside what params.yaml asks of it, in two seconds, and what to do next. Nothing is changed.

Where weights files are named, it takes up to a second more: to see whether they fit, torch is imported.
"""

import json
from collections.abc import Iterator
from pathlib import Path

from cellar import config as configuration
from cellar import paths
from cellar.config import Config
from cellar.doctor import (
    checkpoints,
    data_sets,
    locks,
    machine,
    needs,
    repository,
    storage,
    unmade,
    versions,
    weights_files,
)
from cellar.doctor.finding import Finding
from cellar.doctor.storage import Storage
from cellar.pipeline import dvc, dvc_yaml, line_ends, plan
from cellar.pipeline.stage import Stage
from cellar.provenance import lineage


def report(as_json: bool) -> int:
    """Print a line a finding, and the next command. 1 when something makes the chosen run impossible, else 0."""
    config = configuration.load()
    findings, following = examine(config)
    impossible = any(finding.state == "bad" for finding in findings)
    if as_json:
        lines = [vars(finding) for finding in findings]
        print(
            json.dumps(
                {"scale": config.scale.name, "possible": not impossible, "findings": lines, "next": following}, indent=2
            )
        )
    else:
        print(f"scale {config.scale.name}: {config.scale.note}")
        for finding in findings:
            print(finding.line())
        print(f"next: {following}")
    return int(impossible)


def examine(config: Config) -> tuple[list[Finding], str]:
    """All findings, and what to do next."""
    weights = weights_files.start(config)
    planned = plan.stages(config)
    stages = [stage for stage in planned if not stage.job.sweep]
    of_data, extents = data_sets.examine(config)
    graph = lineage.load()
    kept, waiting = storage.examine(stages, graph), unmade.paths_of(stages, graph)
    findings = [
        *repository.examine(),
        *machine.examine(config, needs.estimate(config, stages, waiting, extents, graph)),
        *of_data,
        *checkpoints.examine(config),
        *kept.findings,
        *versions.examine(),
        *locks.examine(),
        *pipeline(planned),
        *linked(planned),
        *converted(),
        *weights.findings(config, extents),  # the last: it takes the longest
    ]
    return findings, next_step(findings, kept, waiting)


def pipeline(planned: list[Stage]) -> Iterator[Finding]:
    for line in dvc.added_outputs(planned):
        what, _, do = line.rpartition("; take it out: ")
        yield Finding("bad", "plan", what, do)
    for path in dvc_yaml.outdated(planned):
        yield Finding("warn", "plan", f"{path} is out of date with params.yaml; snakemake rewrites it", "cellar plan")


def linked(planned: list[Stage]) -> Iterator[Finding]:
    """Links to folders on the way to what stages write, where DVC refuses them, and to what they read."""
    written = {link for stage in planned for path in stage.outputs for link in paths.links_to(path)}
    for link in sorted(written):
        yield Finding(
            "bad",
            "links",
            f"{link} is a link to {paths.target_of(link)}; DVC keeps no outputs there",
            paths.remedy_of_link(link),
        )
    read = {link for stage in planned for path in stage.inputs for link in paths.links_to(path)}
    here = Path.cwd().resolve()
    for link in sorted(read - written):
        if not paths.target_of(link).is_relative_to(here):
            yield Finding("ok", "links", f"{link} is a link to {paths.target_of(link)}, and is read there")


def converted() -> Iterator[Finding]:
    if found := line_ends.converted():
        yield Finding("bad", "line ends", line_ends.words(found), line_ends.REMEDY)


def next_step(findings: list[Finding], kept: Storage, waiting: list[str]) -> str:
    """The first obstacle's remedy; else what brings back, builds or proves the results."""
    for finding in findings:
        if finding.state == "bad":
            return finding.do
    if kept.absent and kept.in_cache:
        return "dvc checkout"
    if kept.absent and kept.in_remote:
        return "dvc pull"
    return "snakemake --cores 4" if waiting else "cellar verify"

"""Which outputs of the plan are still to be made, or to be made anew, as far as settings, code and names tell.

DVC knows better, for it hashes data too (`dvc status`), and takes longer than the report may.
"""

from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from cellar.pipeline import content
from cellar.pipeline.stage import Stage
from cellar.provenance.lineage import Lineage


def paths_of(stages: Iterable[Stage], graph: Lineage) -> list[str]:
    """Outputs that are not here, whose stage ran with other settings or code, or that depend on such ones."""
    rest = list(stages)
    due = [stage for stage in rest if not is_here(stage) or is_stale(stage, graph)]
    unmade: dict[str, None] = {}
    while due:
        unmade |= dict.fromkeys(path for stage in due for path in stage.outputs)
        rest = [stage for stage in rest if stage.outputs[0] not in unmade]
        due = [stage for stage in rest if any(path in unmade for path in stage.inputs)]
    return list(unmade)


def is_here(stage: Stage) -> bool:
    return all(Path(path).exists() for path in stage.outputs)


def is_stale(stage: Stage, graph: Lineage) -> bool:
    made = graph.maker(stage.outputs[0])
    if made is None:
        return True
    ran, settings = made[0], stage.job.settings.model_dump(mode="json", exclude_none=True)
    if any(not agrees(value, ran.params.get(key)) for key, value in settings.items()):
        return True
    return any(md5(file.path) != file.md5 for file in ran.code)


def agrees(stated: Any, resolved: Any) -> bool:
    """Whether resolved settings are those stated; a method's defaults stand in the resolved ones alone."""
    if isinstance(stated, dict) and isinstance(resolved, dict):
        return all(agrees(value, resolved.get(key)) for key, value in stated.items())
    return bool(stated == resolved)


@cache
def md5(path: str) -> str:
    return content.md5(Path(path)) if Path(path).exists() else ""

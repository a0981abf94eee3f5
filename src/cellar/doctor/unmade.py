"""Which files of the plan are still to be made, or to be made anew, as far as parameters, code and names tell.

DVC knows better, for it hashes data too (`dvc status`), and takes longer than the report may.
"""

from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from cellar import files
from cellar.config import PARAMS_FILE
from cellar.config.strict_yaml import read_yaml
from cellar.pipeline import code_lists
from cellar.pipeline.plan import Family
from cellar.provenance.lineage import Lineage, is_list, md5_of


def paths_of(families: Iterable[Family], graph: Lineage) -> list[str]:
    """Outputs that are not here, whose stage ran with other parameters or code, or that depend on such ones."""
    values = read_yaml(PARAMS_FILE)
    found: dict[str, None] = {}
    for family in families:
        code = md5_of(code_lists.text(family.modules))
        for item, stage in zip(family.items.values() or [{}], family.stages(), strict=True):
            keys = [key.format(**item) for key in family.params]
            absent = any(not Path(path).exists() for path in stage.outputs)
            if (
                absent
                or any(path in found for path in stage.inputs)
                or is_stale(stage.outputs[0], keys, values, graph, code)
            ):
                found |= dict.fromkeys(stage.outputs)
    return list(found)


def is_stale(output: str, keys: list[str], values: Any, graph: Lineage, code: str) -> bool:
    """`code`: the md5 of the list of its code, as it would be written now."""
    made = graph.maker(output)
    if made is None:
        return True
    stage = made[0]
    if {key: value_at(key, values) for key in keys} != stage.params:
        return True
    return any((code if is_list(file.path) else md5(file.path)) != file.md5 for file in stage.code)


def value_at(key: str, values: Any) -> Any:
    for part in key.split("."):
        values = values.get(part) if isinstance(values, dict) else None
    return values


@cache
def md5(path: str) -> str:
    return files.hash_file(Path(path), "md5") if Path(path).is_file() else ""

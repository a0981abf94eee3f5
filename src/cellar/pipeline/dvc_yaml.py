"""The plan as DVC reads it: dvc.yaml, and sweeps/dvc.yaml for what is not part of the default."""

import re
from pathlib import Path
from typing import Any

import yaml

from cellar import files
from cellar.config import Params
from cellar.pipeline import plan
from cellar.pipeline.plan import Family

HEADER = """\
# Written by `cellar plan` from params.yaml, which says what runs; Snakemake writes it anew when it must.
# After adding or removing lines of params.yaml run `cellar plan`, or snakemake; changed values need neither.
"""


def render(families: list[Family], wdir: str = "") -> str:
    stages = {family.stage_name: definition(family, wdir) for family in families}
    return HEADER + yaml.dump({"stages": stages}, Dumper=Indented, sort_keys=False, width=200)


def definition(family: Family, wdir: str) -> dict[str, Any]:
    """One entry of `stages`: a foreach over the family's items, or a single stage."""
    made: dict[str, Any] = {"wdir": wdir} if wdir else {}
    made |= {
        "cmd": family.command,
        "deps": family.reads,
        "params": family.params,
        "outs": list(family.outputs),
    }
    made["outs"] += [{path: {"cache": False}} for path in family.kept]
    made["metrics"] = [{path: {"cache": False}} for path in family.metrics]
    made["plots"] = [{path: {"x": "epoch", "y": "validation_loss"}} for path in family.plots]
    made = {key: value for key, value in made.items() if value}
    if not family.items:
        return made
    return {"foreach": {key: OneLine(item) for key, item in family.items.items()}, "do": as_dvc(made)}


def as_dvc(value: Any) -> Any:
    """{field} -> ${item.field}, in every string."""
    if isinstance(value, str):
        return re.sub(r"\{(\w+)\}", r"${item.\1}", value)
    if isinstance(value, list):
        return [as_dvc(element) for element in value]
    if isinstance(value, dict):
        return {as_dvc(key): as_dvc(element) for key, element in value.items()}
    return value


class OneLine(dict[str, str]):
    """Fields of an item, written on one line."""


class Indented(yaml.SafeDumper):
    """Items of a list indented under their key, and nothing abbreviated: a reader should see what there is."""

    def ignore_aliases(self, data: Any) -> bool:
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)


Indented.add_representer(
    OneLine, lambda dumper, item: dumper.represent_mapping("tag:yaml.org,2002:map", item, flow_style=True)
)


def texts(params: Params, sweeps: bool) -> dict[Path, str]:
    """What each pipeline file should hold; "" for a file that should not be there.

    The sweeps' file is there once a sweep has been asked for: `dvc pull` fails on stages that never ran.
    """
    grids = plan.sweep_families(params) if sweeps or plan.SWEEPS.exists() else []
    return {plan.MAIN: render(plan.families(params)), plan.SWEEPS: render(grids, wdir="..") if grids else ""}


def outdated(params: Params, sweeps: bool = False) -> list[Path]:
    """The pipeline files that do not say what params.yaml and the code say."""
    return list(changes(params, sweeps))


def write(params: Params, sweeps: bool = False) -> list[Path]:
    """Write the pipeline files that are out of date; return them. `sweeps`: that of the sweeps too."""
    changed = changes(params, sweeps)
    for path, text in changed.items():
        if text:
            files.write_text(path, text)
        else:
            path.unlink()
    return list(changed)


def changes(params: Params, sweeps: bool) -> dict[Path, str]:
    wanted = texts(params, sweeps)
    return {path: text for path, text in wanted.items() if (path.read_text() if path.exists() else "") != text}

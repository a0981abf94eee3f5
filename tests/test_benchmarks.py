"""The benchmarks fit the project: they run for minutes, so what they ask for is checked here, not how fast it is."""

import ast
import copy
import importlib
import json
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from cellar import config
from cellar.config import Recipe
from cellar.pipeline import plan
from tests.conftest import ROOT

Raw = dict[str, Any]


@pytest.fixture(autouse=True)
def benchmarks(monkeypatch: pytest.MonkeyPatch) -> None:
    """They are scripts that import each other by name."""
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    monkeypatch.chdir(ROOT)


@pytest.mark.parametrize("name", sorted(path.stem for path in (ROOT / "benchmarks").glob("*.py")))
def test_it_imports_what_there_is(name: str) -> None:
    assert importlib.import_module(name).__doc__


@pytest.mark.parametrize("name", sorted(path.stem for path in (ROOT / "benchmarks").glob("*.py")))
def test_what_it_asks_of_a_module_is_there(name: str) -> None:
    modules = {
        key: value for key, value in vars(importlib.import_module(name)).items() if isinstance(value, ModuleType)
    }
    tree = ast.parse((ROOT / "benchmarks" / f"{name}.py").read_text())
    asked = [
        (node.value.id, node.attr)
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
    ]
    assert not [
        (owner, attribute) for owner, attribute in asked if owner in modules and not hasattr(modules[owner], attribute)
    ]


def test_what_is_kept_names_the_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keeping = importlib.import_module("keeping")
    monkeypatch.setattr(keeping, "FOLDER", tmp_path)
    keeping.keep("one", {"rows": []})
    kept = json.loads((tmp_path / "one.json").read_text())
    assert kept["machine"]["processor"] and "host" not in kept["machine"] and len(kept["machine"]["load"]) == 3


def test_the_page_of_predictions_has_what_was_measured() -> None:
    page = (ROOT / "docs/using.md").read_text()
    rows = json.loads((ROOT / "results/bench/predicting.json").read_text())["rows"]
    medians = [[f"{row['frames_per_second']:.0f}", f"{row['frames_per_core_second']:.0f}"] for row in rows]
    section = page[page.index("### Speed") : page.index("## cellar timeline")]
    shown = [line.strip("|").split("|")[1:] for line in section.splitlines() if line.startswith(("| **", "| fer"))]
    assert len(rows) == 4 and sorted(medians) == sorted([cell.strip() for cell in cells] for cells in shown)


def test_table_2_asks_for_runs_that_exist(shipped: Raw) -> None:
    table_2 = importlib.import_module("table_2")
    asked = config.validate(table_2.small(copy.deepcopy(shipped), "bf16"), Path)
    stages = {stage.name: stage for stage in plan.stages(asked)}
    assert table_2.TABLE in stages["tabulate-cifar100_table_2"].outputs
    assert stages["import_teacher-cifar100-seed-0"].job.settings.weights == table_2.WEIGHTS
    taught = [stages[f"distill_student-{table_2.KD}-seed-{seed}"] for seed in range(table_2.RUNS)]
    assert {stage.job.settings.recipe.epochs for stage in taught} == {table_2.EPOCHS}


@pytest.mark.parametrize("name", ["distillation", "scaling", "small_maps"])
def test_its_recipe_is_one(name: str) -> None:
    said = {"batch_size": 16, **importlib.import_module(name).RECIPE}
    assert Recipe.model_validate(said).learning_rate == said["learning_rate"]


def test_overhead_names_outputs_that_exist(shipped: Raw) -> None:
    overhead = importlib.import_module("overhead")
    made = [path for stage in plan.stages(config.validate(shipped, Path)) for path in stage.outputs]
    for output in overhead.STAGES.values():
        assert len([path for path in made if re.fullmatch(output, path)]) == 1


def test_default_asks_dvc_for_a_stage_that_exists(shipped: Raw) -> None:
    default = importlib.import_module("default")
    addresses = [stage.address for stage in plan.stages(config.validate(shipped, Path))]
    assert default.TABLE_VI in addresses
    assert all((Path(sys.executable).parent / command.split()[0]).exists() for command in default.PLANNING.values())


def test_repdistiller_is_measured_where_a_checkout_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repdistiller = importlib.import_module("repdistiller")
    monkeypatch.delenv("REPDISTILLER", raising=False)
    assert repdistiller.kinds("resnet32x4", "resnet8x4") == []
    monkeypatch.setenv("REPDISTILLER", str(tmp_path))
    with pytest.raises(SystemExit, match=f"REPDISTILLER={tmp_path} is not"):
        repdistiller.kinds("resnet32x4", "resnet8x4")
    (tmp_path / "helper").mkdir()
    (tmp_path / "helper/loops.py").touch()
    assert repdistiller.kinds("resnet32x4", "resnet8x4") == ["RepDistiller 0 workers", "RepDistiller 2 workers"]
    assert repdistiller.kinds("resnet32x4", "cnn4") == []

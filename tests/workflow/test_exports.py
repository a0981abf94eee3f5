"""A student as ONNX files, built by the real tools, verified, explained and made again."""

import json
from typing import Any

import pytest

from cellar.deployment import packages
from cellar.errors import CellarError
from cellar.paths import stage_address

from .conftest import FACES, Project
from .loaded_code import undeclared

PLACE = f"{FACES}/small"
PREDICTIONS = f"results/predictions/exports/{PLACE}/predictions.npz"
STAGES = [
    stage_address(kind, "small", FACES, results=kind.startswith("evaluate"))
    for kind in ("export_student", "evaluate_export", "time_export")
]


@pytest.fixture(scope="module")
def exported(unbuilt: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project in which the table of the exports, and what it needs, was built."""
    try:
        packages.need(packages.EXPORT, "this test")
    except CellarError as error:
        pytest.skip(str(error))
    project = unbuilt.copy_to(tmp_path_factory.mktemp("exported") / "project")
    project.change(add_export)
    project.run("cellar", "plan")
    project.commit("an export")
    project.snakemake("results/tables/exports.md")
    project.commit("its table")
    return project


@pytest.fixture(scope="module")
def rerun(exported: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A copy whose stages are run again, one by one: times then differ."""
    return exported.copy_to(tmp_path_factory.mktemp("rerun") / "project")


def add_export(params: dict[str, Any]) -> None:
    params["studies"][FACES]["exports"] = {"small": {"experiment": "fer2013-scratch_a", "licence": "CC0"}}


def cells(project: Project) -> dict[str, Any]:
    table = json.loads((project.folder / "results/tables/exports.json").read_text())
    return {row["id"]: row["cells"] for row in table["rows"]}


def test_the_file_of_fp32_is_as_accurate_as_pytorch(exported: Project) -> None:
    found = cells(exported)
    metrics = exported.folder / f"results/metrics/students/{FACES}/fer2013-scratch_a/seed-0.json"
    accuracy = json.loads(metrics.read_text())["accuracy"]
    assert found["small-fp32"]["accuracy"]["value"] == found["small-pytorch"]["accuracy"]["value"] == accuracy
    assert found["small-fp32"]["agreement"]["value"] == 100
    assert 0 < found["small-fp32"]["difference"]["value"] < 1e-4 < found["small-int8"]["difference"]["value"]
    low, high = found["small-int8"]["change"]["interval"]
    assert low <= found["small-int8"]["change"]["value"] <= high
    assert found["small-int8"]["size"]["value"] < 0.5 * found["small-fp32"]["size"]["value"]
    assert found["small-int8"]["speed"]["kind"] == "timed" and found["small-int8"]["speed"]["value"] > 0


def test_the_model_card_says_what_it_is_for(exported: Project) -> None:
    card = (exported.folder / f"results/exports/{PLACE}/model_card.md").read_text()
    for words in ("CC0", "Prohibited use", "2024/1689", "without a teacher", "| disgust |"):
        assert words in card


@pytest.mark.parametrize("address", STAGES)
def test_the_code_that_a_stage_of_exports_runs_is_declared(rerun: Project, address: str) -> None:
    assert undeclared(rerun, address) == []


def test_verify_finds_altered_predictions_of_a_file(exported: Project) -> None:
    done = exported.run("cellar", "verify", "exports")
    assert ", 0 problems" in done.stdout
    metrics = exported.folder / f"results/metrics/exports/{PLACE}.json"
    kept = metrics.read_text()
    scores = json.loads(kept)
    scores["int8"]["accuracy"] += 1
    metrics.unlink()
    metrics.write_text(json.dumps(scores))
    done = exported.run("cellar", "verify", "exports", ok=False)
    metrics.write_text(kept)
    assert f"{metrics.relative_to(exported.folder)}: {PREDICTIONS} gives other numbers: int8.accuracy is" in done.stdout


def test_a_cell_of_the_file_is_made_again_with_the_same_bytes(exported: Project) -> None:
    done = exported.run("cellar", "redo", "exports", "small-int8", "accuracy")
    assert "identical: " in done.stdout

"""The table of a data set of the user's own, by hand."""

from collections.abc import Callable
from math import sqrt
from typing import Any

import pytest

from cellar import figures, files, tables
from cellar.config import Config
from cellar.pipeline import plan
from tests.table_project import CIFAR, OWN, Project

GRID = "cifar100_grid"
PET_GRID = {"dataset": "pets", "recipe": "student_a", "teacher": "pets", "temperatures": [2], "seeds": [0]}


def test_a_data_set_of_ones_own_has_its_table(project: Project) -> None:
    """Students of three seeds, the teacher of one. Differences 2.5, 5, 0 points."""
    project.evaluate("pets", 30, kind="teachers")
    for seed, (taught, alone) in enumerate([(20, 19), (22, 20), (24, 24)]):
        project.evaluate("pets-taught", taught, seed=seed)
        project.evaluate("pets-alone", alone, seed=seed)
    assert [row.id for row in project.build("custom_pets").rows] == ["teacher-pets", "alone", "taught"]
    assert project.cell("custom_pets", "teacher-pets", "accuracy").value == 75.0
    taught = project.cell("custom_pets", "taught", "accuracy")
    assert (taught.value, taught.std, taught.n, taught.paper) == (55.0, 5.0, 3, None)
    gain = project.cell("custom_pets", "taught", "gain")
    assert gain.value == 2.5
    assert gain.interval == pytest.approx([2.5 - 4.302653 * 2.5 / sqrt(3), 2.5 + 4.302653 * 2.5 / sqrt(3)], abs=1e-3)


def test_its_f1_is_the_mean_over_seeds(project: Project) -> None:
    kept = [files.read_json(project.metrics("pets-alone", seed))["macro"]["f1"] for seed in (0, 1, 2)]
    assert project.cell("custom_pets", "alone", "f1").value == pytest.approx(sum(kept) / 3, abs=1e-4)


@pytest.fixture
def alike(project: Project) -> Project:
    """Two studies of the user's own on one data set, one of them with a sweep that is called like a paper's."""
    own = project.study(OWN)
    project.raw["studies"]["other"] = {**own, "experiments": {"mine": own["experiments"]["pets-alone"]}}
    own["sweeps"] = {GRID: {**project.sweep(GRID), **PET_GRID}}
    return project


def test_two_studies_on_one_data_set_have_a_table_each(alike: Project) -> None:
    assert [name for name in tables.known(alike.config()) if "custom" in name] == ["custom_pets", "other/custom_pets"]
    assert [row.id for row in alike.build("custom_pets").rows] == ["teacher-pets", "alone", "taught"]
    assert [path for path in alike.inputs("other/custom_pets") if "students" in path] == [
        f"results/metrics/students/other/mine/seed-{seed}.json" for seed in range(3)
    ]


@pytest.mark.parametrize("catalogue", [tables.catalogue, figures.catalogue])
def test_sweeps_of_one_name_have_a_page_each(alike: Project, catalogue: Callable[[Config], dict[str, Any]]) -> None:
    entries = catalogue(alike.config())
    for name, study in ((GRID, CIFAR), (f"{OWN}/{GRID}", OWN)):
        metrics = [path for path in entries[name].inputs() if path.startswith("results/metrics/")]
        assert metrics and all(path.startswith(f"results/metrics/students/{study}/{GRID}-") for path in metrics)


def test_every_table_and_figure_of_studies_that_are_alike_is_planned(alike: Project) -> None:
    outputs = {path for stage in plan.stages(alike.config()) for path in stage.outputs}
    assert {f"results/tables/{name}.json" for name in (GRID, f"{OWN}/{GRID}", "other/custom_pets")} <= outputs
    assert {f"results/figures/{name}.png" for name in (GRID, f"{OWN}/{GRID}")} <= outputs


def test_its_runs_stand_in_no_printed_table(project: Project) -> None:
    for table in ("table_iii", "table_iv", "table_v", "table_vi"):
        assert not [path for path in project.inputs(table) if "pets" in path]

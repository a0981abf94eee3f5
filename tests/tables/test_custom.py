"""The table of a data set of the user's own, by hand."""

from math import sqrt

import pytest

from cellar import files
from tests.table_project import Project


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


def test_its_runs_stand_in_no_printed_table(project: Project) -> None:
    for table in ("table_iii", "table_iv", "table_v", "table_vi"):
        assert not [path for path in project.inputs(table) if "pets" in path]

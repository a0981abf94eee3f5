"""Table `exports`, from fabricated scores and predictions."""

from typing import Any

import numpy as np
import pytest

from cellar import files, paths
from cellar.metrics import intervals
from tests.table_project import MINI, Project

PLACE = f"{MINI}/small"
LABELS = np.arange(40) % 7


def one_hot(right: int) -> np.ndarray:
    """(40, 7): so many of the first images are named rightly."""
    return np.eye(7, dtype=np.float32)[np.where(np.arange(40) < right, LABELS, (LABELS + 1) % 7)]


@pytest.fixture
def exporting(project: Project) -> Project:
    project.study()["exports"] = {"small": {"experiment": "fer2013-scratch_b", "licence": "MIT"}}
    files.write_arrays(
        paths.export_predictions(PLACE), logits=one_hot(30), fp32=one_hot(30), int8=one_hot(27), labels=LABELS
    )
    own = {"accuracy": 75.0, "calibration_error": 4.5}
    of_file = own | {"agreement": 100.0, "largest_difference": 1.5e-6, "bytes": 5_040_000}
    int8 = {
        "accuracy": 67.5,
        "calibration_error": 6,
        "agreement": 92.5,
        "largest_difference": 0.25,
        "bytes": 1_320_000,
    }
    files.write_json(paths.export_metrics(PLACE), {"n": 40, "pytorch": own, "fp32": of_file, "int8": int8})
    speeds = {name: {"images_per_second": speed} for name, speed in {"fp32": 2000.0, "int8": 1500.0}.items()}
    files.write_json(paths.export_speed(PLACE), {"latency": speeds})
    return project


def test_a_row_for_pytorch_and_for_each_file(exporting: Project) -> None:
    table = exporting.build("exports")
    assert [row.id for row in table.rows] == ["small-pytorch", "small-fp32", "small-int8"]
    values = {row.id: {key: cell.value for key, cell in row.cells.items()} for row in table.rows}
    assert values["small-int8"] == {
        "accuracy": 67.5, "change": -7.5, "agreement": 92.5, "difference": 0.25, "calibration": 6, "size": 1.32, "speed": 1500.0,
    }  # fmt: skip
    assert values["small-pytorch"]["accuracy"] == 75 and values["small-pytorch"]["speed"] is None
    assert {column.id for column in table.columns} == set(table.rows[0].cells)


@pytest.mark.parametrize(
    ("export", "source"),
    [
        ({"experiment": "fer2013-scratch_b"}, "experiment fer2013-scratch_b"),
        ({"experiment": "fer2013-scratch_b", "seed": 0}, "experiment fer2013-scratch_b, seed 0"),
        ({"teacher": "fer2013"}, "teacher fer2013"),
    ],
)
def test_a_row_says_which_network_it_is(exporting: Project, export: dict[str, Any], source: str) -> None:
    exporting.study()["exports"] = {"small": export | {"licence": "MIT"}}
    labels = [row.label for row in exporting.build("exports").rows]
    assert labels == [f"small ({source}): {words}" for words in ("PyTorch", "ONNX, fp32", "ONNX, int8")]


def test_the_cost_of_int8_has_a_paired_interval(exporting: Project) -> None:
    rights = [np.arange(40) < right for right in (27, 30)]
    mean, interval = intervals.paired_images(*rights)
    cell = exporting.cell("exports", "small-int8", "change")
    assert cell.value == mean == -7.5 and cell.interval == pytest.approx(interval, abs=1e-4)


def test_accuracy_has_wilsons_interval(exporting: Project) -> None:
    cell = exporting.cell("exports", "small-fp32", "accuracy")
    assert cell.interval == pytest.approx(intervals.wilson(30, 40), abs=1e-4) and cell.n == 40


def test_every_number_names_the_stage_and_file_that_it_comes_from(exporting: Project) -> None:
    own = f"studies/{MINI}"
    cells = exporting.build("exports").rows[2].cells
    assert cells["speed"].stage == [f"{own}/dvc.yaml:time_export-small"] and cells["speed"].kind == "timed"
    for key in ("accuracy", "change", "agreement", "difference", "calibration", "size"):
        assert cells[key].stage == [f"{own}/results/dvc.yaml:evaluate_export-small"]
    assert cells["change"].metrics == [f"results/predictions/exports/{PLACE}/predictions.npz"]
    named = {path for cell in cells.values() for path in cell.metrics or []}
    assert named == set(exporting.inputs("exports"))


def test_without_exports_there_is_no_such_table(project: Project) -> None:
    from cellar import tables

    assert "exports" not in tables.known(project.config())

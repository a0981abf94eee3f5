"""Scores of exported files, against sums by hand."""

from pathlib import Path

import numpy as np
import pytest

from cellar import files
from cellar.deployment.export import scores
from cellar.provenance import recomputed
from cellar.provenance.lineage import File, Stage

# Four images of two classes. Confidences 0.9 (right), 0.9 (wrong), 0.6 (right), 0.7 (right).
PROBABILITIES = np.array([[0.9, 0.1], [0.9, 0.1], [0.4, 0.6], [0.3, 0.7]])
LABELS = np.array([0, 1, 1, 1])


def test_the_calibration_error_is_the_weighted_gap_of_each_bin() -> None:
    # Of 15 bins, 0.9 lies in (13/15, 14/15], 0.6 in (8/15, 9/15], 0.7 in (10/15, 11/15].
    by_hand = (2 * abs(0.5 - 0.9) + abs(1 - 0.6) + abs(1 - 0.7)) / 4
    assert scores.calibration_error(PROBABILITIES, LABELS) == pytest.approx(100 * by_hand)


def test_a_certain_and_right_file_is_calibrated() -> None:
    assert scores.calibration_error(np.eye(3)[[0, 1, 2]], np.array([0, 1, 2])) == 0
    assert scores.calibration_error(np.eye(3)[[0, 1, 2]], np.array([1, 2, 0])) == 100


def test_files_are_compared_with_pytorch_image_by_image() -> None:
    logits = np.log(PROBABILITIES)
    int8 = PROBABILITIES.copy()
    int8[2] = [0.55, 0.45]  # another class, and 0.15 off
    found = scores.of_predictions({"logits": logits, "fp32": PROBABILITIES, "int8": int8, "labels": LABELS})
    assert found["n"] == 4 and found["pytorch"]["accuracy"] == found["fp32"]["accuracy"] == 75
    assert found["fp32"]["agreement"] == 100 and found["fp32"]["largest_difference"] < 1e-15
    assert found["int8"]["accuracy"] == 50 and found["int8"]["agreement"] == 75
    assert found["int8"]["largest_difference"] == pytest.approx(0.15)


def test_recalls_are_of_the_images_of_a_class() -> None:
    found = scores.recalls(PROBABILITIES, LABELS, ("a", "b"))
    assert found == {"a": (100, 1), "b": (pytest.approx(200 / 3, abs=1e-4), 3)}


def test_verify_computes_them_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    metrics = "results/metrics/exports/study/small.json"
    arrays = {"logits": np.log(PROBABILITIES), "fp32": PROBABILITIES, "int8": PROBABILITIES, "labels": LABELS}
    files.write_arrays(Path("results/predictions/exports/study/small/predictions.npz"), **arrays)
    stage = Stage("evaluate_export-small", "evaluate_export-small", Path("dvc.lock"), "", {}, (), (File(metrics, ""),))
    found = scores.of_predictions(arrays)
    files.write_json(Path(metrics), found | {"fp32": found["fp32"] | {"bytes": 7}})
    assert list(recomputed.wrong_metrics([stage])) == []
    files.write_json(Path(metrics), found | {"int8": found["int8"] | {"accuracy": 99.0}})
    (problem,) = recomputed.wrong_metrics([stage])
    assert "gives other numbers: int8.accuracy is 99.0, not 75.0" in problem

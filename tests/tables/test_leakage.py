"""leakage_<dataset>: accuracies with and without copies, against hand computation."""

from copy import deepcopy

import numpy as np
import pytest

from cellar import files, paths, tables
from cellar.errors import CellarError
from cellar.metrics import intervals
from cellar.pipeline import plan
from tests.table_project import OWN, N, Project, write_audit

TABLE = "leakage_pets_dropped"
FIRST = 7  # of the test images' rows, where the copies are left out
COPIED = [3, 5, 6, 39]


@pytest.fixture
def both(project: Project) -> Project:
    """`pets` with and without its leaks; the same line on both, each seed naming some images rightly."""
    raw = project.raw
    experiments = project.study(OWN)["experiments"]
    raw["datasets"]["pets_dropped"] = deepcopy(raw["datasets"]["pets"]) | {"drop_leaked": True}
    experiments["pets_dropped-alone"] = deepcopy(experiments["pets-alone"]) | {"dataset": "pets_dropped"}
    write_audit("pets", [(100 + row, "train", row, "test") for row in COPIED])
    labels = np.arange(N) % 7
    for seed in range(3):
        for key, first, hits in (("pets-alone", 0, whole(seed)), ("pets_dropped-alone", FIRST, dropped(seed))):
            write(key, seed, first, hits, labels)
    return project


def whole(seed: int) -> np.ndarray:
    return np.arange(N) < 10 + seed  # 3, 5 and 6 of the copied ones


def dropped(seed: int) -> np.ndarray:
    return (np.arange(N) >= 4) & (np.arange(N) < 13)  # 5 and 6


def write(key: str, seed: int, first: int, hits: np.ndarray, labels: np.ndarray) -> None:
    logits = np.zeros((N, 7), np.float32)
    logits[np.arange(N), np.where(hits, labels, (labels + 1) % 7)] = 1
    path = paths.predictions("students", f"{OWN}/{key}", seed) / "predictions.npz"
    files.write_arrays(path, logits=logits, last_logits=logits, labels=labels, index=np.arange(first, first + N))


def test_rates_are_of_all_of_the_copied_and_of_the_others(both: Project) -> None:
    found = {
        part: [both.cell(TABLE, f"alone-{part}", column).value for column in ("images", "whole", "dropped", "gain")]
        for part in ("all", "copied", "others")
    }
    assert found == {
        "all": [40, 27.5, 22.5, 5.0],
        "copied": [4, 75.0, 50.0, 25.0],
        "others": [36, pytest.approx(100 * 8 / 36, abs=1e-4), pytest.approx(100 * 7 / 36, abs=1e-4),
                   pytest.approx(100 / 36, abs=1e-4)],
    }  # fmt: skip


def test_the_difference_is_paired_over_seeds(both: Project) -> None:
    gain = both.cell(TABLE, "alone-all", "gain")
    whole_rates, dropped_rates = ([float(100 * hits(seed).mean()) for seed in range(3)] for hits in (whole, dropped))
    _, interval = intervals.paired_seeds(whole_rates, dropped_rates)
    assert gain.n == 3 and gain.interval == pytest.approx(interval, abs=1e-4)
    assert gain.stage is not None and gain.stage[0] == "audit-pets" and len(gain.stage) == 7


def test_the_difference_of_one_seed_is_paired_over_images(both: Project) -> None:
    for key in ("pets-alone", "pets_dropped-alone"):
        both.experiment(key)["seeds"] = [0]
    _, interval = intervals.paired_images(whole(0)[COPIED], dropped(0)[COPIED])
    gain = both.cell(TABLE, "alone-copied", "gain")
    assert gain.value == 25.0 and gain.interval == pytest.approx(interval, abs=1e-4)
    assert gain.method == "paired on 4 images (Agresti and Min)"


@pytest.mark.parametrize(
    ("where", "change"),
    [
        ("experiments", {"recipe": "teacher"}),
        ("experiments", {"model": "resemotenet_c"}),
        ("experiments", {"seeds": [0, 1]}),
        ("datasets", {"input_size": 32}),
        ("datasets", {"enabled": False}),
        ("datasets", {"drop_leaked": False}),
    ],
)
def test_what_differs_otherwise_is_not_compared(both: Project, where: str, change: dict[str, object]) -> None:
    key = "pets_dropped-alone" if where == "experiments" else "pets_dropped"
    assert TABLE in tables.known(both.config())
    (both.experiment(key) if where == "experiments" else both.raw[where][key]).update(change)
    assert TABLE not in tables.known(both.config())


def test_other_test_images_are_refused(both: Project) -> None:
    write("pets_dropped-alone", 1, FIRST, dropped(1), np.arange(N)[::-1] % 7)
    with pytest.raises(
        CellarError, match=r"seed-1/predictions\.npz holds other test images than the runs it is compared"
    ):
        both.build(TABLE)


def test_an_audit_of_another_data_set_is_refused(both: Project) -> None:
    write_audit("pets", [(100, "train", 900, "test")])
    with pytest.raises(
        CellarError, match=r"predictions\.npz and .*pairs\.csv are not of one data set; build both again"
    ):
        both.build(TABLE)


def test_where_nothing_leaks_all_are_others(both: Project) -> None:
    write_audit("pets", [(100, "train", 101, "train")])
    assert both.cell(TABLE, "alone-copied", "images").value == 0
    assert both.cell(TABLE, "alone-copied", "gain").value is None
    assert both.cell(TABLE, "alone-others", "gain").value == both.cell(TABLE, "alone-all", "gain").value


def test_the_stages_that_its_cells_name_are_planned(both: Project) -> None:
    planned = {stage.address for stage in plan.stages(both.config())}
    cells = [cell for row in both.build(TABLE).rows for cell in row.cells.values()]
    assert {stage for cell in cells for stage in cell.stage or []} <= planned


def test_it_reads_what_it_says(both: Project) -> None:
    needed = both.inputs(TABLE)
    read = {path for row in both.build(TABLE).rows for cell in row.cells.values() for path in cell.metrics or []}
    assert set(needed) == read and len(needed) == 7


@pytest.mark.parametrize(("table", "key"), [(TABLE, "pets_dropped-alone"), ("custom_pets", "pets-alone")])
def test_the_name_of_a_row_is_an_input(both: Project, table: str, key: str) -> None:
    """A row that is named anew in params.yaml must reach the table."""
    assert f"experiments.{key}.row" in tables.find(table, both.config()).shown()
    both.experiment(key)["row"] = "named_anew"
    assert any(row.id.startswith("named_anew") for row in both.build(table).rows)

"""Every table is built from exactly the files that it lists, and shows exactly the parameters that it lists."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from cellar import files, tables
from cellar.errors import CellarError
from cellar.pipeline import plan
from cellar.tables.cells import as_json
from tests.table_project import Project

MINI = ["table_i", "table_ii", "table_iii", "table_iv", "table_v", "table_vi"]
CIFAR = ["cifar100_table_1", "cifar100_table_2"]
PINS = [f"pins_table_{number}" for number in range(1, 7)]  # built in tests/studies/small_dataset_kd
PRINTED = [*CIFAR, *MINI, *PINS]
COLLECTED = ["verdicts", "contradictions"]  # built in test_verdicts_of_all and test_contradictions
OURS = ["audit", "audit_accuracy", "cifar100_grid", "fer2013_sweep", "custom_pets"]
ALL = [*CIFAR, *MINI, *OURS]


def test_the_tables_are_known(project: Project) -> None:
    assert tables.known(project.config()) == [*PRINTED, *COLLECTED, *OURS]


def test_a_data_set_that_is_off_has_no_table(project: Project) -> None:
    project.raw["datasets"]["pets"]["enabled"] = False
    for dataset in ("fer2013", "cifar100"):
        project.raw["datasets"][dataset]["enabled"] = False
    assert tables.known(project.config()) == [*PRINTED, *COLLECTED, "audit", "audit_accuracy"]
    for dataset in ("raf_db", "pins"):
        project.raw["datasets"][dataset]["enabled"] = False
    assert tables.known(project.config()) == [*PRINTED, *COLLECTED]


@pytest.mark.parametrize("table", ALL)
def test_a_table_needs_nothing_but_its_inputs(project: Project, table: str) -> None:
    before, needed = as_json(project.build(table)), set(project.inputs(table))
    config = project.config()
    for path in [one for one in Path().rglob("*") if one.is_file() and one.suffix != ".py" and str(one) not in needed]:
        path.unlink()
    assert as_json(tables.build(table, config)) == before


@pytest.mark.parametrize("table", ALL)
def test_a_table_needs_each_of_its_inputs(project: Project, table: str) -> None:
    config, kept = project.config(), Path("kept")
    for path in map(Path, tables.find(table, config).inputs()):
        shutil.move(path, kept)
        with pytest.raises(CellarError, match=f"^{path} does not exist; [^\n]+$"):
            tables.build(table, config)
        shutil.move(kept, path)


@pytest.mark.parametrize("table", ALL)
def test_inputs_are_listed_once_and_in_order(project: Project, table: str) -> None:
    found = project.inputs(table)
    assert found
    assert len(set(found)) == len(found)
    assert project.inputs(table) == found


@pytest.mark.parametrize("table", ALL)
def test_cells_name_only_files_that_the_table_reads(project: Project, table: str) -> None:
    named = {path for row in project.build(table).rows for cell in row.cells.values() for path in cell.metrics or []}
    assert named
    assert named <= set(project.inputs(table))


@pytest.mark.parametrize("table", ALL)
def test_every_row_has_every_column(project: Project, table: str) -> None:
    built = project.build(table)
    assert len({row.id for row in built.rows}) == len(built.rows)
    for row in built.rows:
        assert set(row.cells) == {column.id for column in built.columns}, row.id


@pytest.mark.parametrize("table", ALL)
def test_our_numbers_name_their_stage(project: Project, table: str) -> None:
    ours = [c for row in project.build(table).rows for c in row.cells.values() if c.kind in ("measured", "timed")]
    assert all(cell.stage and cell.metrics for cell in ours)
    assert bool(ours) == (table not in ("table_i", "table_ii", "table_iii", "cifar100_table_1", "audit"))


def test_the_stages_that_cells_name_are_planned(project: Project) -> None:
    planned = {stage.address for stage in plan.stages(project.config())}
    for table in ALL:
        cells = [cell for row in project.build(table).rows for cell in row.cells.values()]
        assert {stage for cell in cells for stage in cell.stage or []} <= planned, table


def test_a_misspelt_table_is_suggested(project: Project) -> None:
    with pytest.raises(
        CellarError, match=r"no table 'table_vl' \(did you mean 'table_v[i]?'\?\); known: cifar100_table_1, [^\n]+$"
    ):
        project.build("table_vl")
    with pytest.raises(CellarError, match="did you mean 'custom_pets'"):
        project.inputs("custom_pet")


def test_an_unlike_table_is_not_guessed_at(project: Project) -> None:
    with pytest.raises(CellarError, match=r"^there is no table 'zzz'; known: "):
        project.build("zzz")


def test_a_broken_metrics_file_is_one_line(project: Project) -> None:
    path = project.metrics("fer2013-E1")
    files.write_text(path, "{")
    with pytest.raises(CellarError, match=f"^{path} is not JSON [^\n]+$"):
        project.build("table_iv")


def touched(project: Project) -> list[str]:
    """The tables whose shown values differ from the shipped ones, which `project.raw` has changed since."""
    after = shown(project)
    project.experiment("fer2013-E1")["method"]["temperature"] = 3
    project.experiment("cifar100-student_kd")["method"]["distill_weight"] = 0.75
    project.sweep("cifar100_grid")["temperatures"] = [1, 2, 4, 8]
    project.raw["scale"]["note"] = "as before"
    before = shown(project)
    return [table for table in ALL if after[table] != before[table]]


def shown(project: Project) -> dict[str, dict[str, Any]]:
    return {table: tables.find(table, project.config()).shown() for table in ALL}


def test_a_temperature_touches_the_table_that_shows_it(project: Project) -> None:
    project.raw["scale"]["note"] = "as before"
    project.experiment("fer2013-E1")["method"]["temperature"] = 4
    assert touched(project) == ["table_iv"]


def test_a_kd_weight_touches_the_table_that_shows_it(project: Project) -> None:
    project.raw["scale"]["note"] = "as before"
    project.experiment("cifar100-student_kd")["method"]["distill_weight"] = 0.5
    assert touched(project) == ["cifar100_table_2"]


def test_a_grid_touches_its_own_table(project: Project) -> None:
    project.raw["scale"]["note"] = "as before"
    project.sweep("cifar100_grid")["temperatures"] = [4, 1, 2, 8]
    assert touched(project) == ["cifar100_grid"]


def test_the_scale_touches_every_table(project: Project) -> None:
    project.raw["scale"]["note"] = "another"
    assert touched(project) == ALL


def test_a_changed_temperature_is_shown(project: Project) -> None:
    project.experiment("fer2013-E1")["method"]["temperature"] = 4
    assert project.cell("table_iv", "fer2013-E1", "T").value == 4
    assert project.cell("table_iv", "fer2013-E1", "T").paper == 3


class TestRafDbOff:
    """The data set is switched off, and none of its files is here."""

    @pytest.mark.parametrize("table", ALL)
    def test_every_table_builds_and_asks_for_none_of_its_files(self, without_raf_db: Project, table: str) -> None:
        assert not [path for path in without_raf_db.inputs(table) if "raf_db" in path]
        assert without_raf_db.build(table).rows

    @pytest.mark.parametrize(
        ("table", "row", "column", "paper"),
        [
            ("table_iii", "happy", "raf_train", 4772),
            ("table_iv", "raf_db-E1", "accuracy", 85.00),
            ("table_iv", "raf_db-resemotenet", "accuracy", 94.76),
            ("table_v", "raf_db_accuracy", "E4", 82.45),
            ("table_v", "raf_db_memory_mb", "resemotenet", 838.19),
            ("table_vi", "resemotenet", "raf_db_accuracy", 94.76),
        ],
    )
    def test_its_cells_are_not_run_beside_the_papers_figure(
        self, without_raf_db: Project, table: str, row: str, column: str, paper: float
    ) -> None:
        cell = without_raf_db.cell(table, row, column)
        assert (cell.kind, cell.value, cell.paper, cell.verdict) == ("not_run", None, paper, None)
        assert cell.reason == "its data set is off, or its line is not in params.yaml"

    @pytest.mark.parametrize(
        ("table", "row", "column"),
        [
            ("table_iii", "happy", "fer_train"),
            ("table_iv", "fer2013-E1", "accuracy"),
            ("table_v", "fer2013_accuracy", "E4"),
            ("table_v", "model_size_mb", "E4"),
            ("table_vi", "E1", "fer2013_accuracy"),
        ],
    )
    def test_the_other_cells_are_there(self, without_raf_db: Project, table: str, row: str, column: str) -> None:
        cell = without_raf_db.cell(table, row, column)
        assert cell.kind in ("measured", "counted")
        assert cell.value is not None

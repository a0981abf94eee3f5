"""The table of verdicts: every printed value once, beside the cell of the table that shows it, and never judged anew."""

from pathlib import Path

import pytest

from cellar import files, paths, tables
from cellar.tables import render, verdicts
from cellar.tables.cells import Cell, Row, Table, as_json, from_json
from cellar.tables.printed_values import paper
from tests.table_project import Project

MINI, PINS, CIFAR = "mini_resemotenet", "small_dataset_kd", "cifar100_kd"
E2 = f"{MINI}.tables.table_IV.FER2013.E2.accuracy"


def write_tables(project: Project) -> list[Table]:
    """The papers' tables, as their stages write them."""
    config = project.config()
    found = [tables.build(entry.id, config) for entry in tables.catalogue(config).values() if entry.of_paper]
    for table in found:
        render.write(table, paths.TABLES)
    return found


def rows(project: Project) -> dict[str, Row]:
    return {row.id: row for row in project.build("verdicts").rows}


@pytest.fixture
def shown(project: Project) -> Project:
    write_tables(project)
    return project


@pytest.fixture
def real(project: Project) -> Project:
    """At the paper's scale 305 of 400 are right for E2: 76.25 %, with 76.17 printed."""
    project.real()
    project.evaluate("fer2013-E2", 305, n=400)
    project.evaluate("fer2013-scratch_a", n=400)
    project.study()["experiments"].pop("fer2013-E1")
    write_tables(project)
    return project


def test_every_printed_value_has_one_line(shown: Project) -> None:
    found = [row.id for row in shown.build("verdicts").rows]
    assert len(set(found)) == len(found)
    of_table_iii = [one for one in found if ".table_III." in one]
    assert len(of_table_iii) == 8 * 5
    claims = [name for study in (MINI, CIFAR) for name in paper(study).data["derived_claims"]]
    assert [one.rpartition(".")[2] for one in found if ".derived_claims." in one] == claims


def test_the_value_beside_a_cell_is_the_printed_one_at_its_key(project: Project) -> None:
    """Every cell with a printed value names its key, cell by cell; a difference of two printed values has none."""
    by_key = {(study, one.key): one.value for study in (MINI, PINS, CIFAR) for one in paper(study).values.values()}
    checked = 0
    for table in write_tables(project):
        for row in table.rows:
            for column, cell in row.cells.items():
                assert cell.shows_printed or cell.printed_key is None
                assert not cell.shows_printed or cell.printed_key or (table.study, column) == (PINS, "gain")
                if cell.printed_key:
                    figure = cell.value if cell.paper is None else cell.paper
                    printed = by_key[table.study, cell.printed_key]
                    assert str(printed).replace(", ", "x") == str(figure).replace(", ", "x"), cell.printed_key
                    checked += 1
    assert checked > 300


def test_a_line_holds_the_cell_of_its_table(real: Project) -> None:
    line, cell = rows(real)[E2].cells, real.cell("table_iv", "fer2013-E2", "accuracy")
    assert line["measured"] == cell
    assert (line["printed"].value, line["difference"].value, line["difference"].unit) == (76.17, 0.08, "points")
    assert (line["verdict"].value, line["verdict"].reason) == ("reproduced", None)
    assert line["cell"].value == "table_iv fer2013-E2 accuracy"


def test_what_is_not_run_has_no_number(real: Project) -> None:
    line = rows(real)[E2.replace("E2", "E1")].cells
    assert (line["verdict"].value, line["measured"].value, line["difference"].value) == ("not run", None, None)


def test_it_is_collected_not_computed(shown: Project) -> None:
    """A verdict that a table gives is taken as it stands, whatever it is."""
    path = paths.TABLES / "table_iv.json"
    kept = files.read_json(path)
    next(row for row in kept["rows"] if row["id"] == "fer2013-E2")["cells"]["accuracy"] |= {
        "verdict": "differs",
        "reason": "so",
    }
    files.write_json(path, kept)
    line = rows(shown)[E2].cells["verdict"]
    assert (line.value, line.reason) == ("differs", "so")


def test_the_text_is_set_beside_the_cell_of_its_table(shown: Project) -> None:
    """76.33 stands in the text alone; ours is Table IV's E1."""
    line, cell = rows(shown)[f"{MINI}.text.FER2013.E1.accuracy"].cells, shown.cell("table_iv", "fer2013-E1", "accuracy")
    assert (line["printed"].value, line["measured"].value) == (76.33, cell.value)


def test_a_percentage_of_counts_is_judged_at_any_scale(shown: Project) -> None:
    """100 x (306.09 - 76.56) / 306.09 = 74.99."""
    line = rows(shown)[f"{MINI}.derived_claims.size_reduction_A"].cells
    assert (line["measured"].value, line["verdict"].value) == (74.99, "reproduced")
    assert line["measured"].stage == ["studies/mini_resemotenet/dvc.yaml:count_models"]


def test_a_difference_is_ours_of_the_same_two_cells(shown: Project) -> None:
    teacher, student = (shown.cell("table_iv", f"fer2013-{row}", "accuracy").value for row in ("resemotenet", "E4"))
    assert isinstance(teacher, float) and isinstance(student, float)
    line = rows(shown)[f"{MINI}.derived_claims.E4_vs_teacher_FER"].cells
    assert line["measured"].value == pytest.approx(teacher - student)
    assert line["verdict"].value == "not comparable"


def test_a_difference_of_measured_cells_has_no_interval_to_judge_by(real: Project) -> None:
    line = rows(real)[f"{MINI}.derived_claims.E4_vs_teacher_FER"].cells["verdict"]
    assert (line.value, line.reason) == ("not comparable", "made of two measured cells: it has no interval")


@pytest.mark.parametrize(
    ("row", "status"),
    [
        (f"{PINS}.models.ConvNet-9.printed.params", "reproduced"),  # 17,625,833 and 18M
        (f"{PINS}.models.ResNet-50.printed.params", "reproduced"),  # 23,723,177 and 23M, cut off
        (f"{PINS}.models.ResNet-50.printed.params_text", "differs"),  # and 23.5M
        (f"{PINS}.models.InceptionV3.printed.params", "reproduced"),  # 24,639,154 and <25M
        (f"{PINS}.models.MobileNet.printed.params", "differs"),  # 3,314,601 and 13M
        (f"{CIFAR}.models.student.params", "reproduced"),
        (f"{MINI}.tables.table_I.rows.QCS.total_parameters", "cited"),
        (f"{MINI}.tables.table_I.rows.FMAE.total_parameters", "paper inconsistent"),
        (f"{MINI}.tables.table_IV.FER2013.E2.T", "same setting"),
        (f"{PINS}.tables.table_2.rows.ResNet-18.lr", "no value of ours"),
        (f"{CIFAR}.derived_claims.kd_gain", "not comparable"),
    ],
)  # fmt: skip
def test_each_kind_of_line(shown: Project, row: str, status: str) -> None:
    assert rows(shown)[row].cells["verdict"].value == status


def test_a_cell_whose_data_set_is_off_was_not_run(project: Project) -> None:
    project.raw["datasets"]["pins"]["enabled"] = False
    write_tables(project)
    row = f"{PINS}.tables.table_2.rows.ResNet-18.test.f1"
    assert rows(project)[row].cells["verdict"].value == "not run"


def test_another_setting_is_told(project: Project) -> None:
    project.experiment("fer2013-E2")["method"]["temperature"] = 5
    write_tables(project)
    assert rows(project)[f"{MINI}.tables.table_IV.FER2013.E2.T"].cells["verdict"].value == "other setting"


@pytest.mark.parametrize(
    ("count", "said", "agree"),
    [(17_499_999, "18M", False), (17_500_000, "18M", True), (18_999_999, "18M", True), (19_000_000, "18M", False),
     (11_499_999, "11.4M", True), (11_350_000, "11.4M", True), (11_349_000, "11.4M", False), (24_999_999, "<25M", True),
     (25_000_000, "<25M", False)],
)  # fmt: skip
def test_millions_are_rounded_or_cut_off(count: int, said: str, agree: bool) -> None:
    assert (verdicts.of_millions(count, said)[0] == "reproduced") == agree


def test_data_that_is_off_is_not_run(without_raf_db: Project) -> None:
    write_tables(without_raf_db)
    found = rows(without_raf_db)
    of_raf = [row for name, row in found.items() if ".RAF-DB." in name and name.endswith("accuracy")]
    assert {row.cells["verdict"].value for row in of_raf} == {"not run"}
    assert found[f"{MINI}.derived_claims.E1_vs_teacher_RAF"].cells["verdict"].value == "not run"


def test_it_needs_nothing_but_its_inputs(shown: Project) -> None:
    config, needed = shown.config(), set(shown.inputs("verdicts"))
    before = as_json(shown.build("verdicts"))
    assert "results/tables/pins_table_6.json" in needed and not [
        one for one in needed if "sweep" in one or "custom" in one
    ]
    for path in [one for one in Path().rglob("*") if one.is_file() and one.suffix != ".py" and str(one) not in needed]:
        path.unlink()
    assert as_json(tables.build("verdicts", config)) == before


class TestPage:
    def test_it_follows_from_the_json_and_is_the_same_again(self, shown: Project) -> None:
        kept = []
        for _ in range(2):
            shown.tabulate("verdicts")
            kept.append([(paths.TABLES / f"verdicts.{ending}").read_bytes() for ending in ("md", "json")])
        assert kept[0] == kept[1]
        assert render.markdown(from_json(files.read_json(paths.TABLES / "verdicts.json"))).encode() == kept[0][0]

    def test_it_says_what_was_drawn_and_counts_by_study(self, shown: Project) -> None:
        built = shown.build("verdicts")
        text = render.markdown(built)
        assert "come from synthetic images, not from photographs" in text.splitlines()[0]
        assert f"Scale: sample ({built.scale['note']})." in text
        counted = {line.split(" | ")[0][2:]: line.strip("| ").split(" | ")[1:] for line in text.splitlines()[8:11]}
        assert list(counted) == ["Mini-ResEmoteNet", "Small dataset", "Distillation on CIFAR-100"]
        for numbers in counted.values():
            assert int(numbers[0]) == sum(map(int, numbers[1:]))
        assert sum(int(numbers[0]) for numbers in counted.values()) == len(built.rows)

    def test_one_value_that_moves_is_one_line_that_changes(self, shown: Project) -> None:
        built = shown.build("verdicts")
        before = render.markdown(built).splitlines()
        line = next(row for row in built.rows if row.id == E2)
        line.cells["measured"] = Cell("measured", 7.25, "%", interval=[5.0, 123456.0])
        after = render.markdown(built).splitlines()
        changed = [(one, other) for one, other in zip(before, after, strict=True) if one != other]
        assert len(changed) == 1
        assert "| FER2013, E2, accuracy (%) | 76.17 | 7.25 [5.00, 123456.00] |" in changed[0][1]

    def test_every_line_has_every_column(self, shown: Project) -> None:
        lines = [one for one in render.markdown(shown.build("verdicts")).splitlines() if one.startswith("|")]
        assert {one.count(" | ") for one in lines[3 + 2 :]} == {7}

"""Methods by pairs: what the tables of the pairs hold, side by side, and drawn where it is a difference."""

import re
from pathlib import Path

import pytest

from cellar import files, paths, report
from cellar.report import studies
from cellar.report.chains import Chains
from cellar.report.comparison import Axis, Compared, Part, Side
from cellar.tables import render
from cellar.tables.cells import NOT_RUN, as_json
from tests.as_printed import write_counts
from tests.studies.kd_methods.conftest import KEY, Fabricate, evaluate, project
from tests.table_project import Project

__all__ = ["project"]
FIRST, SECOND = "resnet32x4-cnn4", "resnet32x4-resnet8x4"  # in the order of their files
RIGHT = {"alone": 10, "kd": 14, "sp": 30, "at": 1, "cc": 11}


@pytest.fixture
def made(project: Fabricate) -> Project:
    """Five methods, of one seed each; the first pair is without one of them."""
    found = project("cpu")
    lines = found.raw["studies"][KEY]["experiments"]
    kept = {key: lines[key] | {"seeds": [0]} for key in lines if key.rpartition("-")[2] in RIGHT}
    del kept[f"{FIRST}-sp"]
    found.raw["studies"][KEY]["experiments"] = kept
    for teacher in found.params(KEY).teachers:
        evaluate(found, teacher, kind="teachers")
    for key in kept:
        evaluate(found, key, right=RIGHT[key.rpartition("-")[2]])
    return found


def tabulate(project: Project, *pairs: str) -> None:
    write_counts("cifar100", train=45000, validation=5000, test=10000)
    for pair in pairs:
        render.write(project.build(f"{KEY}/{pair}"), paths.TABLES)


def side(project: Project) -> Side | None:
    return next((one.side for one in studies.shown(project.config(), Chains()).studies if one.id == KEY), None)


def part(project: Project, label: str) -> Part:
    found = side(project)
    assert found
    return next(part for part in found.parts if part.label.startswith(label))


def cells(part: Part, pair: str) -> dict[str, Compared]:
    place = [name for name, _ in part.heads].index(pair)
    return {label: line[place] for label, line in part.lines}


def test_a_part_for_each_measure_a_row_for_each_method_a_column_for_each_pair(made: Project) -> None:
    tabulate(made, FIRST, SECOND)
    found = side(made)
    assert found and found.title == "Methods by pairs" and found.rows == "method"
    assert [part.label.partition(" (")[0] for part in found.parts] == [
        "against the student alone", "against KD", "best on validation", "last epoch",
    ]  # fmt: skip
    assert all([name for name, _ in part.heads] == [FIRST, SECOND] for part in found.parts)
    names = [[label for label, _ in part.lines] for part in found.parts]
    assert sorted(names[0]) == ["AT", "CC", "KD", "SP"] and sorted(names[1]) == ["AT", "CC", "SP"]
    assert sorted(names[2]) == ["AT", "CC", "KD", "SP", "student alone"]
    assert (
        names[3][0] == "teacher: resnet32x4" and len(names[3]) == 6
    )  # it trains on all images, so none chose its epoch


def test_values_are_those_of_the_tables(made: Project) -> None:
    tabulate(made, FIRST, SECOND)
    found = side(made)
    assert found
    columns = dict(zip(("gain", "over_kd", "validation", "last_epoch"), found.parts, strict=True))
    compared = 0
    for pair in (FIRST, SECOND):
        for row in files.read_json(paths.TABLES / KEY / f"{pair}.json")["rows"]:
            for column, part in columns.items():
                if row["cells"][column]["value"] is not None:
                    one = cells(part, pair)[row["label"]]
                    assert one.number == row["cells"][column]["value"]
                    assert one.shown and one.shown.id == f"{KEY}/{pair}.{row['id']}.{column}"
                    compared += 1
    assert compared == (4 + 3 + 5 + 6) + (3 + 2 + 4 + 5)


def test_a_difference_is_drawn_on_the_axis_of_its_column(made: Project) -> None:
    tabulate(made, FIRST, SECOND)
    gains = part(made, "against the student alone")
    for pair, axis in gains.heads:
        drawn = cells(gains, pair)
        bounds = [bound for one in drawn.values() if one.shown for bound in one.shown.cell.interval or ()]
        assert axis and axis.low <= min(bounds) < axis.low + 1 and axis.high - 1 < max(bounds) <= axis.high
    kd = cells(gains, SECOND)["KD"]
    axis = kd.axis
    assert axis and kd.shown and kd.shown.cell.interval and kd.mark
    places = [float(place.rstrip("%")) for place in (kd.mark.low, kd.mark.point, kd.mark.high)]
    values = [kd.shown.cell.interval[0], 10.0, kd.shown.cell.interval[1]]
    assert places == pytest.approx([100 * (value - axis.low) / (axis.high - axis.low) for value in values], abs=0.06)
    assert {label: one.mark.kind for label, one in cells(gains, SECOND).items() if one.mark} == {
        "KD": "unclear", "AT": "hurts", "SP": "helps", "CC": "unclear",
    }  # fmt: skip
    assert not any(one.mark for one in cells(part(made, "last epoch"), SECOND).values())


def test_a_dot_is_open_where_the_interval_is_over_images(project: Fabricate) -> None:
    found = project("cpu", SECOND, evaluated=True)
    tabulate(found, SECOND)
    marks = {label: one.mark for label, one in cells(part(found, "against the student alone"), SECOND).items()}
    assert [marks[name].open for name in ("KD", "DKD", "SP", "AT")] == [False, False, True, True]


def test_zero_is_on_every_axis() -> None:
    assert (Axis(-5, 5).at(0), Axis(0, 4).at(0), Axis(-4, 0).at(0)) == ("50.0%", "0.0%", "100.0%")
    assert (Axis(-5, 10).low_text, Axis(-5, 10).high_text, Axis(0, 4).low_text) == ("-5", "+10", "0")


def test_what_a_pair_has_not_reads_not_run(made: Project) -> None:
    tabulate(made, FIRST, SECOND)
    absent = cells(part(made, "against the student alone"), FIRST)["SP"]
    assert absent.shown is None and absent.number is None and absent.mark is None
    page = rendered(made)
    row = re.search(r'<tr><th scope="row" data-value="SP">.*?</tr>', page, re.DOTALL)
    assert row and f'<span title="{NOT_RUN.reason}">not run</span>' in row[0] and row[0].count("data-value") == 2


def test_a_cell_that_was_not_run_is_shown_as_such(made: Project) -> None:
    tabulate(made, SECOND)
    table = as_json(made.build(f"{KEY}/{SECOND}"))
    next(row for row in table["rows"] if row["id"] == "cc")["cells"]["gain"] = {"value": None, "kind": "not_run"}
    files.write_json(paths.TABLES / KEY / f"{SECOND}.json", table)
    one = cells(part(made, "against the student alone"), SECOND)["CC"]
    assert one.shown and one.shown.text == "not run" and one.mark is None and not one.empty


def test_one_method_alone(made: Project) -> None:
    lines = made.raw["studies"][KEY]["experiments"]
    made.raw["studies"][KEY]["experiments"] = {f"{SECOND}-sp": lines[f"{SECOND}-sp"]}
    tabulate(made, SECOND)
    found = side(made)
    assert found and [len(part.lines) for part in found.parts] == [1, 1, 1, 2]  # and the teacher's accuracy
    assert found.parts[0].heads == [(SECOND, None)] and cells(found.parts[0], SECOND)["SP"].shown.text == "not run"  # type: ignore[union-attr]


def test_rows_that_tables_call_differently_have_their_id(project: Fabricate) -> None:
    pairs = ("resnet32x4-resnet8x4", "vgg13-vgg8")
    found = project("base", *pairs, evaluated=True)
    tabulate(found, *pairs)
    assert part(found, "last epoch").lines[0][0] == "teacher"


def test_a_study_that_is_absent_has_none(made: Project) -> None:
    """Its tables may still lie there."""
    tabulate(made, SECOND)
    assert side(made)
    made.raw["studies"] = {"own": made.raw["studies"].pop(KEY)}
    assert (paths.TABLES / KEY / f"{SECOND}.json").exists() and side(made) is None
    page = rendered(made)
    assert 'class="side"' not in page and f'id="{KEY}/{SECOND}"' in page


def test_tables_of_earlier_parameters_are_left_out(made: Project) -> None:
    """Of a pair that params.yaml has no longer, and of another scale."""
    tabulate(made, FIRST, SECOND)
    study = made.raw["studies"][KEY]
    study["experiments"] = {key: line for key, line in study["experiments"].items() if key.startswith(SECOND)}
    found = side(made)
    assert found and all([name for name, _ in part.heads] == [SECOND] for part in found.parts)
    made.raw["scale"]["name"] = "another"
    assert side(made) is None


def test_without_a_table_of_a_pair_there_is_none(made: Project) -> None:
    tabulate(made, "lskd_same")
    assert studies.shown(made.config(), Chains()).studies and side(made) is None


def test_every_number_leads_to_its_cell_below(made: Project) -> None:
    tabulate(made, FIRST, SECOND)
    page = rendered(made)
    start = page.index(f'<div id="study-{KEY}-side">')
    asked = re.findall(r'<a class="cell" href="#([^"]*)">', page[start : page.index("<article", start)])
    assert len(asked) == len(set(asked)) == 32
    assert all(f'<a class="cell" id="{one}"' in page for one in asked)
    assert f'<a href="#study-{KEY}-side">Methods by pairs</a>' in page


def rendered(project: Project) -> str:
    project.config()
    return report.write(Path("page.html")).read_text(encoding="utf-8")

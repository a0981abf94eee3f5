"""Verdicts: given where ours and the paper's are of one scale, withheld with a reason where they are not."""

import pytest

from cellar.config import Scale
from cellar.tables import verdicts
from tests.table_project import Project

PAPER = Scale(name="paper", synthetic=False, note="as printed")


@pytest.mark.parametrize(
    ("printed", "verdict"), [(70.0, "reproduced"), (80.0, "reproduced"), (69.99, "differs"), (80.01, "differs")]
)
def test_an_accuracy_is_reproduced_inside_our_interval(printed: float, verdict: str) -> None:
    assert verdicts.of_accuracy([70.0, 80.0], printed, [], PAPER)[0] == verdict


def test_a_difference_says_where_it_lies() -> None:
    assert verdicts.of_accuracy([70, 80], 85.0, [], PAPER) == ("differs", "printed 85.00 lies outside [70.00, 80.00]")


def test_a_number_printed_twice_says_which_is_ours() -> None:
    verdict, reason = verdicts.of_accuracy([84.5, 86], 85.0, [84.21], PAPER)
    assert (verdict, reason) == ("paper inconsistent", "the paper prints 85.00 and 84.21; in our interval: 85.00")
    assert (verdicts.of_accuracy([10, 20], 85.0, [84.21], PAPER)[1] or "").endswith("in our interval: none")


def test_another_scale_is_never_judged() -> None:
    small = Scale(name="sample", synthetic=True, note="synthetic faces")
    for printed, variants in ((75.0, []), (10.0, []), (75.0, [76.0])):
        found = verdicts.of_accuracy([70, 80], printed, variants, small)
        assert found == ("not comparable", "scale sample: synthetic faces")


def test_without_a_printed_number_there_is_no_verdict() -> None:
    assert verdicts.of_accuracy([70, 80], None, [], PAPER) == (None, None)
    assert verdicts.of_count(7, None) == (None, None)


def test_counts_are_equal_or_not() -> None:
    assert verdicts.of_count(80238599, 80238599) == ("reproduced", None)
    assert verdicts.of_count(1257991, 1259911) == ("differs", "counted 1,257,991, printed 1,259,911")


def test_drawn_faces_are_not_compared_with_the_paper(project: Project) -> None:
    cell = project.cell("table_iv", "fer2013-E2", "accuracy")
    note = project.raw["scale"]["note"]
    assert (cell.paper, cell.verdict, cell.reason) == (76.17, "not comparable", f"scale sample: {note}")


@pytest.mark.parametrize(("hits", "verdict"), [(305, "reproduced"), (200, "differs"), (360, "differs")])
def test_at_the_papers_scale_an_accuracy_is_judged(project: Project, hits: int, verdict: str) -> None:
    """305 of 400 are 76.25 %, with 76.17 printed; 200 are 50 %, 360 are 90 %."""
    project.real()
    project.evaluate("fer2013-E2", hits, n=400)
    project.evaluate("fer2013-scratch_a", n=400)
    project.study()["experiments"].pop("fer2013-E1")
    assert project.cell("table_iv", "fer2013-E2", "accuracy").verdict == verdict


@pytest.mark.parametrize(
    ("table", "row", "column", "printed", "elsewhere"),
    [
        ("table_iv", "fer2013-E1", "accuracy", 76.42, [76.33]),
        ("table_iv", "raf_db-E1", "accuracy", 85.00, [84.21]),
        ("table_iv", "raf_db-E4", "accuracy", 82.45, [81.41]),
        ("table_v", "fer2013_accuracy", "E1", 76.42, [76.33]),
        ("table_vi", "E1", "fer2013_accuracy", 76.33, [76.42]),
        ("table_vi", "E1", "raf_db_accuracy", 85.00, [84.21]),
    ],
)
def test_what_the_paper_prints_twice(
    project: Project, table: str, row: str, column: str, printed: float, elsewhere: list[float]
) -> None:
    project.real()
    cell = project.cell(table, row, column)
    assert (cell.paper, cell.paper_variants, cell.verdict) == (printed, elsewhere, "paper inconsistent")
    assert (cell.reason or "").startswith(f"the paper prints {printed:.2f} and {elsewhere[0]:.2f}; ")


@pytest.mark.parametrize(("row", "column"), [("fer2013-E2", "accuracy"), ("fer2013-E4", "accuracy")])
def test_what_the_paper_prints_once_has_no_variant(project: Project, row: str, column: str) -> None:
    assert project.cell("table_iv", row, column).paper_variants is None


@pytest.mark.parametrize(
    ("table", "row", "column", "value"),
    [
        ("table_i", "resemotenet", "total_parameters", 80238599),
        ("table_i", "resemotenet", "model_size_mb", 320.95),
        ("table_ii", "resemotenet_c", "total_parameters", 1259911),
        ("table_v", "model_size_mb", "E4", 19.16),
        ("table_vi", "E1", "parameters", 20069383),
    ],
)
def test_counts_are_judged_at_any_scale(project: Project, table: str, row: str, column: str, value: float) -> None:
    cell = project.cell(table, row, column)
    assert (cell.kind, cell.value, cell.paper, cell.verdict) == ("counted", value, value, "reproduced")
    assert cell.stage == ["studies/mini_resemotenet/dvc.yaml:count_models"]

"""Verdicts: given where ours and the paper's can be compared, withheld with a reason where they cannot."""

import pytest

from cellar import files
from cellar.tables import verdicts
from tests.table_project import Project


@pytest.mark.parametrize(
    ("printed", "verdict"), [(70.0, "reproduced"), (80.0, "reproduced"), (69.99, "differs"), (80.01, "differs")]
)
def test_an_accuracy_is_reproduced_inside_our_interval(printed: float, verdict: str) -> None:
    assert verdicts.of_accuracy([70.0, 80.0], printed, [], [])[0] == verdict


def test_a_difference_says_where_it_lies() -> None:
    assert verdicts.of_accuracy([70, 80], 85.0, [], []) == ("differs", "printed 85.00 lies outside [70.00, 80.00]")


def test_a_number_printed_twice_says_which_is_ours() -> None:
    verdict, reason = verdicts.of_accuracy([84.5, 86], 85.0, [84.21], [])
    assert (verdict, reason) == ("paper inconsistent", "the paper prints 85.00 and 84.21; in our interval: 85.00")
    assert (verdicts.of_accuracy([10, 20], 85.0, [84.21], [])[1] or "").endswith("in our interval: none")


def test_what_differs_in_training_is_never_judged() -> None:
    obstacles = ["5 epochs, printed 80", "batch size 64, printed 16"]
    for printed, variants in ((75.0, []), (10.0, []), (75.0, [76.0])):
        found = verdicts.of_accuracy([70, 80], printed, variants, obstacles)
        assert found == ("not comparable", "5 epochs, printed 80; batch size 64, printed 16")


def test_another_precision_is_named() -> None:
    assert verdicts.of_accuracy([70, 80], 75.0, [], [], "bf16") == ("reproduced", "computed in bf16")
    outside = "printed 85.00 lies outside [70.00, 80.00]; computed in bf16"
    assert verdicts.of_accuracy([70, 80], 85.0, [], [], "bf16") == ("differs", outside)


def test_without_a_printed_number_there_is_no_verdict() -> None:
    assert verdicts.of_accuracy([70, 80], None, [], []) == (None, None)
    assert verdicts.of_count(7, None) == (None, None)


def test_counts_are_equal_or_not() -> None:
    assert verdicts.of_count(80238599, 80238599) == ("reproduced", None)
    assert verdicts.of_count(1257991, 1259911) == ("differs", "counted 1,257,991, printed 1,259,911")


def test_drawn_faces_are_not_compared_with_the_paper(project: Project) -> None:
    cell = project.cell("table_iv", "fer2013-E2", "accuracy")
    assert (cell.paper, cell.verdict, cell.reason) == (76.17, "not comparable", "synthetic images")


@pytest.mark.parametrize(("hits", "verdict"), [(305, "reproduced"), (200, "differs"), (360, "differs")])
def test_with_the_papers_recipe_an_accuracy_is_judged(project: Project, hits: int, verdict: str) -> None:
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
def test_counts_are_always_judged(project: Project, table: str, row: str, column: str, value: float) -> None:
    cell = project.cell(table, row, column)
    assert (cell.kind, cell.value, cell.paper, cell.verdict) == ("counted", value, value, "reproduced")
    assert cell.stage == ["studies/mini_resemotenet/dvc.yaml:count_models"]


def test_a_training_on_two_types_of_processor_is_told(project: Project) -> None:
    path = project.metrics("fer2013-E2")
    files.write_json(path, files.read_json(path) | {"processors": 2})
    reasons = [project.cell("table_iv", f"fer2013-{row}", "accuracy").reason for row in ("E2", "E3", "scratch_a")]
    told = (
        "synthetic images; trained on several types of processor, so that no machine makes the same bits again (seed 0)"
    )
    assert reasons == [told, "synthetic images", None]

"""Table IV by hand: accuracies, intervals, seeds, and what the teacher brings."""

import re
from math import sqrt

import numpy as np
import pytest

from cellar import files
from cellar.errors import CellarError
from cellar.tables.cells import Cell
from tests.table_project import N, Project

Z = 1.959964  # 97.5 % point of the normal distribution
T2 = 4.302653  # of Student's t with 2 degrees of freedom
PAIR = ("fer2013-E1", "fer2013-scratch_a")


def wilson(hits: int, n: int) -> list[float]:
    p, d = hits / n, 1 + Z**2 / n
    centre, half = (p + Z**2 / (2 * n)) / d, Z * sqrt(p * (1 - p) / n + Z**2 / (4 * n**2)) / d
    return [100 * (centre - half), 100 * (centre + half)]


def test_one_seed_is_judged_by_its_images(project: Project) -> None:
    project.evaluate("fer2013-E1", 30)
    cell = project.cell("table_iv", "fer2013-E1", "accuracy")
    assert (cell.kind, cell.value, cell.mean, cell.unit, cell.n, cell.std) == ("measured", 75.0, 75.0, "%", 40, None)
    assert cell.interval == pytest.approx(wilson(30, 40), abs=1e-3)
    assert cell.stage == ["studies/mini_resemotenet/results/dvc.yaml:evaluate_student-fer2013-E1-seed-0"]
    assert cell.metrics == ["results/metrics/students/mini_resemotenet/fer2013-E1/seed-0.json"]


def test_the_teachers_row_names_the_teachers_stage(project: Project) -> None:
    project.evaluate("fer2013", 12, kind="teachers")
    cell = project.cell("table_iv", "fer2013-resemotenet", "accuracy")
    assert (cell.value, cell.paper, cell.stage) == (30.0, 79.79, ["results/dvc.yaml:evaluate_teacher-fer2013-seed-0"])


def test_random_logits_are_counted_as_they_fell(project: Project) -> None:
    kept = files.read_arrays(project.predictions("fer2013-E6"))
    hits = sum(int(np.argmax(row)) == label for row, label in zip(kept["logits"], kept["labels"], strict=True))
    last = sum(int(np.argmax(row)) == label for row, label in zip(kept["last_logits"], kept["labels"], strict=True))
    assert hits != last
    assert project.cell("table_iv", "fer2013-E6", "accuracy").value == 100 * hits / N
    assert project.cell("table_iv", "fer2013-E6", "last_epoch").value == 100 * last / N


def test_a_second_seed_adds_no_images(project: Project) -> None:
    """20 and 24 of the same 40: the interval is that of 22 of 40, not of 44 of 80."""
    with_seeds(project, {"fer2013-E1": [20, 24]})
    cell = project.cell("table_iv", "fer2013-E1", "accuracy")
    assert (cell.value, cell.n, cell.std) == (55.0, 40, 7.0711)
    assert cell.interval == pytest.approx(wilson(22, 40), abs=1e-3)


def test_the_gain_of_two_seeds_rests_on_images_once(project: Project) -> None:
    """Each image counts by its mean over two seeds: d = 0.5 on 10 images, else 0, so sums are 5 and 2.5."""
    with_seeds(project, {PAIR[0]: [20, 30], PAIR[1]: [20, 20]})
    cell = project.cell("table_iv", "fer2013-E1", "gain")
    half = Z * sqrt(2.5 + 1 - 25 / 42) / 42
    assert (cell.value, cell.n, cell.method) == (12.5, 40, "paired on 40 images (Agresti and Min)")
    assert cell.interval == pytest.approx([100 * (5 / 42 - half), 100 * (5 / 42 + half)], abs=1e-3)


def test_three_seeds_are_judged_by_their_spread(project: Project) -> None:
    with_seeds(project, {"fer2013-E1": [20, 22, 24]})
    cell = project.cell("table_iv", "fer2013-E1", "accuracy")
    half = T2 * 5 / sqrt(3)
    assert (cell.value, cell.mean, cell.std, cell.std_population, cell.n) == (55.0, 55.0, 5.0, 4.0825, 3)
    assert cell.method == "Student's t over 3 runs"
    assert cell.interval == pytest.approx([55 - half, 55 + half], abs=1e-3)
    assert cell.stage == [project.stage("fer2013-E1", seed) for seed in (0, 1, 2)]


def with_seeds(project: Project, right: dict[str, list[int]]) -> None:
    for key, counts in right.items():
        project.experiment(key)["seeds"] = list(range(len(counts)))
        for seed, count in enumerate(counts):
            project.evaluate(key, count, seed=seed)


def pair(project: Project, first_only: int, second_only: int, both: int = 10) -> Cell:
    """E1 and A alone on 40 images, of which they share `both` right answers."""
    ends = np.cumsum([both, first_only, second_only])
    images = np.arange(N)
    project.evaluate(PAIR[0], list(images < ends[1]))
    project.evaluate(PAIR[1], list((images < ends[0]) | ((images >= ends[1]) & (images < ends[2]))))
    return project.cell("table_iv", "fer2013-E1", "gain")


def test_the_gain_is_paired_over_images(project: Project) -> None:
    """b = 8, c = 2, n = 40: 15 points; 6/42 ± 1.959964 * sqrt(11 - 36/42) / 42."""
    cell = pair(project, 8, 2)
    half = Z * sqrt(11 - 36 / 42) / 42
    assert (cell.kind, cell.value, cell.unit) == ("derived", 15.0, "points")
    assert cell.interval == pytest.approx([100 * (6 / 42 - half), 100 * (6 / 42 + half)], abs=1e-3)
    assert cell.reason == "the teacher makes no difference that these runs can tell"


def test_the_gain_names_both_runs(project: Project) -> None:
    cell = pair(project, 8, 2)
    assert cell.stage == [project.stage(key) for key in PAIR]
    assert cell.metrics == [
        f"results/predictions/students/mini_resemotenet/{key}/seed-0/predictions.npz" for key in PAIR
    ]


@pytest.mark.parametrize(("first", "second", "said"), [(20, 2, "helps"), (2, 20, "hurts")])
def test_a_clear_gain_is_said(project: Project, first: int, second: int, said: str) -> None:
    cell = pair(project, first, second)
    assert cell.value == 100 * (first - second) / N
    assert cell.reason == f"the teacher {said}"


def test_the_gain_over_three_seeds_is_paired_over_seeds(project: Project) -> None:
    """Differences 2.5, 5, 0: mean 2.5, sd 2.5."""
    with_seeds(project, dict(zip(PAIR, ([20, 22, 24], [19, 20, 24]), strict=True)))
    cell = project.cell("table_iv", "fer2013-E1", "gain")
    half = T2 * 2.5 / sqrt(3)
    assert cell.value == 2.5
    assert cell.interval == pytest.approx([2.5 - half, 2.5 + half], abs=1e-3)
    assert cell.metrics == [
        f"results/metrics/students/mini_resemotenet/{key}/seed-{seed}.json" for key in PAIR for seed in (0, 1, 2)
    ]
    assert not [
        path for path in project.inputs("table_iv") if re.search("predictions.*E1/", path) and "fer2013" in path
    ]


def test_each_student_is_compared_with_the_same_student_alone(project: Project) -> None:
    alone = {row: (project.cell("table_iv", f"fer2013-{row}", "gain").stage or [])[-1] for row in ("E2", "E4", "E6")}
    assert alone == {
        "E2": project.stage("fer2013-scratch_a"),
        "E4": project.stage("fer2013-scratch_b"),
        "E6": project.stage("fer2013-scratch_c"),
    }
    assert project.cell("table_iv", "raf_db-E4", "gain").stage == [
        project.stage("raf_db-E4"),
        project.stage("raf_db-scratch_b"),
    ]


def test_other_test_images_are_refused(project: Project) -> None:
    project.evaluate("fer2013-E1", first=1)
    with pytest.raises(CellarError, match=r"^results/[^\n]+fer2013-E1[^\n]+ hold different test images; [^\n]+$"):
        project.build("table_iv")


def test_fewer_test_images_are_refused(project: Project) -> None:
    project.evaluate("fer2013-scratch_a", n=N - 1)
    with pytest.raises(CellarError, match=r"fer2013-E1.*fer2013-scratch_a.* hold different test images"):
        project.build("table_iv")


def test_without_the_student_alone_there_is_no_gain(project: Project) -> None:
    del project.study()["experiments"]["fer2013-scratch_a"]
    cell = project.cell("table_iv", "fer2013-E1", "gain")
    assert (cell.kind, cell.value) == ("not_run", None)
    assert project.cell("table_iv", "fer2013-E1", "accuracy").kind == "measured"
    assert project.cell("table_iv", "fer2013-E3", "gain").kind == "derived"


def test_another_recipe_is_no_baseline(project: Project) -> None:
    project.experiment("fer2013-scratch_a")["recipe"] = "teacher"
    assert project.cell("table_iv", "fer2013-E1", "gain").kind == "not_run"


def test_a_student_alone_has_no_gain_and_no_temperature(project: Project) -> None:
    gain = project.cell("table_iv", "fer2013-scratch_b", "gain")
    assert (gain.value, gain.reason) == (None, "no teacher")
    assert project.cell("table_iv", "fer2013-scratch_b", "T").value is None
    assert project.cell("table_iv", "fer2013-E4", "alpha").value == 0.15


def test_the_loss_is_shown_but_not_judged(project: Project) -> None:
    project.real()
    cell = project.cell("table_iv", "fer2013-E1", "loss")
    kept = files.read_json(project.metrics("fer2013-E1"))
    assert cell.value == round(kept["loss"], 4)
    assert (cell.paper, cell.verdict) == (0.7590, "not comparable")
    assert "two scales" in (cell.reason or "")


def test_rows_stand_in_the_papers_order_with_ours_below(project: Project) -> None:
    rows = [row.id for row in project.build("table_iv").rows]
    fer = ["resemotenet", "E1", "E2", "E3", "E4", "E5", "E6", "scratch_a", "scratch_b", "scratch_c"]
    raf = ["resemotenet", "E1", "E4", "scratch_a", "scratch_b"]
    assert rows == [*(f"fer2013-{row}" for row in fer), *(f"raf_db-{row}" for row in raf)]


def test_a_row_of_the_users_own_is_added(project: Project) -> None:
    project.study()["experiments"]["fer2013-mine"] = {**project.experiment("fer2013-E1"), "row": "mine"}
    project.evaluate("fer2013-mine", 10)
    cell = project.cell("table_iv", "fer2013-mine", "accuracy")
    assert (cell.value, cell.paper, cell.verdict) == (25.0, None, None)


def test_a_row_that_is_taken_out_is_not_run(project: Project) -> None:
    del project.study()["experiments"]["fer2013-E2"]
    cell = project.cell("table_iv", "fer2013-E2", "accuracy")
    assert (cell.kind, cell.paper) == ("not_run", 76.17)
    assert not [path for path in project.inputs("table_iv") if "fer2013-E2" in path]

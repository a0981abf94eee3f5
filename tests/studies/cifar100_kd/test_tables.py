"""The CIFAR-100 report's two tables by hand: counts, means, both standard deviations, paired differences."""

from math import sqrt

import pytest

from cellar import files, paths, tables
from cellar.tables import render
from tests.table_project import CIFAR, Project, write_objects

T4 = 2.776445  # 97.5 % point of Student's t with 4 degrees of freedom
ONE, TWO = "cifar100_table_1", "cifar100_table_2"
ALONE, TAUGHT = [20, 22, 24, 21, 23], [24, 25, 27, 27, 27]  # rightly named of 40, a seed each


@pytest.fixture
def five(project: Project) -> Project:
    """Alone 50, 55, 60, 52.5, 57.5 %; with KD 60, 62.5, 67.5, 67.5, 67.5 %."""
    for seed, (alone, taught) in enumerate(zip(ALONE, TAUGHT, strict=True)):
        project.evaluate("cifar100-student", alone, seed=seed)
        project.evaluate("cifar100-student_kd", taught, seed=seed)
    return project


def switch_off(project: Project) -> None:
    project.raw["datasets"]["cifar100"]["enabled"] = False


def take_out(project: Project) -> None:
    """Every line is out, and so is the data set."""
    project.raw["studies"][CIFAR] = {}
    del project.raw["datasets"]["cifar100"]


class TestTableOne:
    def test_images_are_counted(self, project: Project) -> None:
        """100 classes of 18 + 2 training and 10 test images."""
        found = {row.id: row.cells["description"].value for row in project.build(ONE).rows}
        assert found == {
            "total": 3000,
            "train": 2000,
            "test": 1000,
            "data_type": "pickled arrays",
            "image_dimensions": "32x32",
            "channels": 3,
            "classes": 100,
        }

    def test_the_held_out_images_are_named(self, project: Project) -> None:
        held = "Train set: 200 of these images are held out to validate on, where a recipe asks for it."
        assert held in project.build(ONE).notes
        write_objects(train=20, test=10)
        assert not [note for note in project.build(ONE).notes if note.startswith("Train set")]
        assert project.cell(ONE, "train", "description").value == 2000

    def test_drawn_images_are_not_judged(self, project: Project) -> None:
        cells = [row.cells["description"] for row in project.build(ONE).rows]
        assert {cell.verdict for cell in cells} == {"not comparable"}
        assert {cell.reason for cell in cells} == {"synthetic images"}

    def test_the_published_images_are(self, project: Project) -> None:
        project.real()
        write_objects(train=450, validation=50, test=100)
        found = {row.id: row.cells["description"] for row in project.build(ONE).rows}
        assert {key for key, cell in found.items() if cell.verdict == "reproduced"} == found.keys() - {"data_type"}
        assert (found["data_type"].verdict, found["data_type"].paper) == ("differs", "Images (PNG)")
        assert found["data_type"].reason == "found pickled arrays, printed Images (PNG)"

    def test_missing_images_differ(self, project: Project) -> None:
        project.real()
        write_objects(train=450, validation=49, test=100)
        cell = project.cell(ONE, "train", "description")
        assert (cell.verdict, cell.reason) == ("differs", "counted 49,900, printed 50,000")

    def test_png_is_contradicted(self, project: Project) -> None:
        assert any("Images (PNG), but CIFAR-100 is published as Python pickles" in n for n in project.build(ONE).notes)

    def test_grey_images_of_another_size_are_told(self, project: Project) -> None:
        path = paths.prepared("cifar100") / "manifest.json"
        files.write_json(path, files.read_json(path) | {"image_shape": [28, 30], "layout": "image_folder"})
        found = {row.id: row.cells["description"].value for row in project.build(ONE).rows}
        assert (found["channels"], found["image_dimensions"]) == (1, "28x30")
        assert found["data_type"] == "layout image_folder"


class TestTableTwo:
    def test_rows_and_printed_values(self, five: Project) -> None:
        five.line("teachers", "cifar100")["model"] = "resnet32x4"
        rows = {row.id: row for row in five.build(TWO).rows}
        assert {key: row.label for key, row in rows.items()} == {
            "teacher": "Teacher (ResNet32x4)",
            "student": "Student (without KD)",
            "student_kd": "Student (with KD)",
        }
        assert [row.cells["accuracy_mean"].paper for row in rows.values()] == [78.33, 53.72, 56.39]
        assert [row.cells["accuracy_sd"].paper for row in rows.values()] == [None, 0.50, 0.46]
        assert [row.cells["runs"].paper for row in rows.values()] == [None, 5, 5]
        assert [row.cells["runs"].value for row in rows.values()] == [1, 5, 5]

    def test_a_teacher_that_is_another_network_is_named(self, five: Project) -> None:
        five.real()
        five.line("teachers", "cifar100")["model"] = "resnet8x4"
        teacher = {row.id: row for row in five.build(TWO).rows}["teacher"]
        cell, reason = teacher.cells["accuracy_mean"], "another network: resnet8x4, printed resnet32x4"
        assert teacher.label == "Teacher (ResNet32x4; here resnet8x4)"
        assert (cell.paper, cell.verdict, cell.reason) == (78.33, "not comparable", reason)

    def test_the_mean_has_a_t_interval_over_the_five_seeds(self, five: Project) -> None:
        """Deviations of 50, 55, 60, 52.5, 57.5 from 55: 25 + 0 + 25 + 6.25 + 6.25 = 62.5."""
        cell = five.cell(TWO, "student", "accuracy_mean")
        half = T4 * sqrt(62.5 / 4) / sqrt(5)
        assert (cell.value, cell.n) == (55.0, 5)
        assert cell.interval == pytest.approx([55 - half, 55 + half], abs=1e-3)
        assert cell.metrics == [
            f"results/metrics/students/cifar100_kd/cifar100-student/seed-{seed}.json" for seed in range(5)
        ]

    def test_both_standard_deviations_are_shown(self, five: Project) -> None:
        population = five.cell(TWO, "student", "accuracy_sd")
        sample = five.cell(TWO, "student", "accuracy_sd_sample")
        assert population.value == pytest.approx(sqrt(62.5 / 5), abs=1e-4)
        assert sample.value == pytest.approx(sqrt(62.5 / 4), abs=1e-4)
        assert (population.verdict, sample.verdict) == ("not comparable", None)

    def test_one_run_has_no_spread(self, five: Project) -> None:
        cell = five.cell(TWO, "teacher", "accuracy_sd")
        assert (cell.value, cell.reason) == (None, "one run has no spread")

    def test_the_gain_is_paired_over_seeds(self, five: Project) -> None:
        """Differences 10, 7.5, 7.5, 15, 10: mean 10, squares 0 + 6.25 + 6.25 + 25 + 0 = 37.5."""
        cell = five.cell(TWO, "student_kd", "gain")
        half = T4 * sqrt(37.5 / 4) / sqrt(5)
        assert (cell.kind, cell.value, cell.paper, cell.unit) == ("derived", 10.0, 2.67, "points")
        assert cell.interval == pytest.approx([10 - half, 10 + half], abs=1e-3)
        assert (cell.verdict, (cell.reason or "").split(";")[0]) == ("not comparable", "the teacher helps")

    def test_it_helps_only_where_the_interval_says_so(self, five: Project) -> None:
        """Differences 10, -5, 0, 15, -10: mean 2, wide around 0."""
        said = "Student (with KD): T = 4, CE weight 0.25, KL weight 0.75; "
        assert f"{said}the teacher helps." in five.build(TWO).notes
        for seed, right in enumerate((24, 20, 24, 27, 19)):
            five.evaluate("cifar100-student_kd", right, seed=seed)
        assert five.cell(TWO, "student_kd", "gain").value == 2.0
        assert f"{said}the teacher makes no difference that these runs can tell." in five.build(TWO).notes

    @pytest.mark.parametrize(("plus", "verdict"), [(1, "reproduced"), (12, "differs")])
    def test_with_the_reports_recipe_the_gain_is_judged(self, five: Project, plus: int, verdict: str) -> None:
        """One image of 40 more, but for one seed with two: 2.5, 2.5, 2.5, 2.5, 5; 2.67 lies inside."""
        five.real()
        five.evaluate("cifar100", 32, kind="teachers")
        for seed, alone in enumerate(ALONE):
            five.evaluate("cifar100-student_kd", alone + plus + (seed == 4), seed=seed)
        assert five.cell(TWO, "student_kd", "gain").verdict == verdict

    def test_who_has_no_teacher_gains_nothing(self, five: Project) -> None:
        for row in ("teacher", "student"):
            cell = five.cell(TWO, row, "gain")
            assert (cell.value, cell.reason, cell.paper) == (None, "no teacher", None)

    def test_without_the_student_alone_the_gain_is_not_run(self, five: Project) -> None:
        del five.study(CIFAR)["experiments"]["cifar100-student"]
        cell = five.cell(TWO, "student_kd", "gain")
        assert (cell.kind, cell.paper) == ("not_run", 2.67)
        assert five.cell(TWO, "student", "accuracy_mean").kind == "not_run"
        assert five.cell(TWO, "student_kd", "accuracy_mean").kind == "measured"

    def test_area_f1_and_loss_are_means_over_seeds(self, five: Project) -> None:
        kept = [files.read_json(five.metrics("cifar100-student", seed)) for seed in range(5)]
        for column, values in (
            ("auc", [files.read_json(five.details("cifar100-student", seed))["auc"] for seed in range(5)]),
            ("f1", [one["macro"]["f1"] for one in kept]),
            ("loss", [one["loss"] for one in kept]),
        ):
            cell = five.cell(TWO, "student", column)
            assert cell.value == pytest.approx(sum(values) / 5, abs=1e-4)
            assert cell.paper is None

    def test_an_area_that_is_not_defined_is_a_dash(self, five: Project) -> None:
        path = five.details("cifar100-student", 3)
        files.write_json(path, files.read_json(path) | {"auc": None})
        cell = five.cell(TWO, "student", "auc")
        assert (cell.value, cell.reason) == (None, "a class has no test image")

    def test_one_seed_is_paired_over_images(self, five: Project) -> None:
        for key in ("cifar100-student", "cifar100-student_kd"):
            five.experiment(key)["seeds"] = [0]
        found = five.inputs(TWO)
        assert "results/predictions/students/cifar100_kd/cifar100-student_kd/seed-0/predictions.npz" in found
        assert five.cell(TWO, "student_kd", "gain").value == 10.0
        assert five.cell(TWO, "student_kd", "accuracy_sd").value is None

    def test_a_row_of_the_users_own_is_added(self, five: Project) -> None:
        five.study(CIFAR)["experiments"]["cifar100-mine"] = {**five.experiment("cifar100-student_kd"), "row": "mine"}
        for seed in range(5):
            five.evaluate("cifar100-mine", 30, seed=seed)
        cell = five.cell(TWO, "mine", "accuracy_mean")
        assert (cell.value, cell.paper) == (75.0, None)
        assert five.cell(TWO, "mine", "gain").paper is None
        assert any(note.startswith("mine: cnn4: T = 4") for note in five.build(TWO).notes)

    @pytest.mark.parametrize(
        "said",
        [
            "The report calls 2.67 a gain in %: it is 56.39 - 53.72 = 2.67 points, 4.97 % of 53.72.",
            "The report's sd is ddof 0: with ddof 1 the five accuracies of its author's notebook give 0.56 and 0.52.",
            "Epochs: the report says 100, its author's runs had 50; the students here 6.",
            "Teacher: the report has 78.33 for a checkpoint whose authors publish 79.42 (SimKD, RepDistiller).",
            "AUC: the report prints none; its author's notebook has 96.93 and 97.11 without and with KD.",
        ],
    )
    def test_what_the_report_leaves_open_is_told(self, five: Project, said: str) -> None:
        assert said in five.build(TWO).notes

    def test_the_kl_weights_contradict_each_other(self, five: Project) -> None:
        note = next(note for note in five.build(TWO).notes if note.startswith("KL weight"))
        assert "sets 0.25" in note and "alpha = 0.75" in note and "KL weight 0.75, CE weight 0.25" in note

    def test_a_row_as_markdown(self, five: Project) -> None:
        """60, 62.5, 67.5, 67.5, 67.5: squares 25 + 6.25 + 3 * 6.25 = 50; 2.776445 * sqrt(50 / 4 / 5) = 4.39."""
        line = next(
            one for one in render.markdown(five.build(TWO)).splitlines() if one.startswith("| Student (with KD)")
        )
        cells = [cell.strip() for cell in line.split("|")[2:9]]
        assert cells == ["65.00 [60.61, 69.39]", "56.39", "3.16", "0.46", "3.54", "5", "5"]


@pytest.mark.parametrize("how", [switch_off, take_out])
def test_without_the_data_set_all_is_not_run_beside_the_printed_values(project: Project, how: object) -> None:
    assert callable(how)
    how(project)
    for table in (ONE, TWO):
        built = project.build(table)
        assert {cell.kind for row in built.rows for cell in row.cells.values()} == {"not_run"}
        assert project.inputs(table) == [str(paths.printed("cifar100_kd"))]
        assert list(tables.find(table, project.config()).shown()) == ["scale"]
        assert "not run" in render.markdown(built)
    assert project.cell(TWO, "student_kd", "accuracy_mean").paper == 56.39
    assert project.cell(TWO, "student_kd", "gain").paper == 2.67
    assert project.cell(ONE, "total", "description").paper == 60000
    assert "cifar100_grid" not in tables.known(project.config())


def test_the_studys_data_set_is_not_the_users_own(project: Project) -> None:
    assert "custom_cifar100" not in tables.known(project.config())

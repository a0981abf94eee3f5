"""The comparison of a pair, and the printed tables, with evaluations made by hand."""

import numpy as np
import pytest

from cellar import files, tables
from cellar.metrics import intervals
from cellar.tables.cells import Cell
from cellar.tables.render import markdown
from tests.as_printed import write_counts
from tests.studies.kd_methods.conftest import KEY, Fabricate, evaluate
from tests.table_project import Project

SAMPLE = f"{KEY}/resnet20-resnet8"
PAIR = "resnet32x4-resnet8x4"


def test_the_sample_has_the_tables_of_its_pair_and_no_printed_one(project: Fabricate) -> None:
    """No table prints ResNet20 -> ResNet8."""
    known = [table for table in tables.known(project("sample").config()) if table.startswith(f"{KEY}/")]
    assert known == [SAMPLE, f"{SAMPLE}-costs"]


def test_all_22_tables_are_known_where_their_pairs_are_listed(project: Fabricate) -> None:
    """The 13 usual pairs have a comparison and their costs; of OFD's own networks there are none here."""
    known = {table for table in tables.known(project("paper").config()) if table.startswith(f"{KEY}/")}
    assert len(known) == 13 + 13 + 21 and f"{KEY}/ofd" not in known
    assert {f"{KEY}/{PAIR}", f"{KEY}/repdistiller_same", f"{KEY}/resnet50-mobilenet_v2"} <= known


def test_rows_are_the_teacher_the_student_alone_and_every_method(project: Fabricate) -> None:
    built = project("sample", evaluated=True).build(SAMPLE)
    assert [row.label for row in built.rows[:4]] == ["teacher: resnet20", "student alone", "KD", "KD+LSKD"]
    assert len(built.rows) == 32
    assert markdown(built).startswith("**These numbers come from synthetic objects")


def test_the_three_accuracies_and_what_the_choice_on_the_test_set_adds(project: Fabricate) -> None:
    made = project("sample", evaluated=True)
    evaluate(made, "resnet20-resnet8-dkd", right=10, best=55.0)
    last = files.read_json(made.metrics("resnet20-resnet8-dkd"))["last_epoch"]["accuracy"]
    cells = {row.id: row.cells for row in made.build(SAMPLE).rows}["dkd"]
    assert cells["validation"].value == 25.0 and cells["best_on_test"].value == 55.0
    assert cells["last_epoch"].value == last
    assert cells["selection"].value == pytest.approx(55.0 - last)
    assert cells["validation"].interval == pytest.approx(intervals.wilson(10, 40), abs=1e-4)
    assert cells["settings"].value == "temperature 4, target weight 1, non target weight 8, warm up 1"


def test_differences_are_paired_with_the_student_alone_and_with_kd(project: Fabricate) -> None:
    made = project("sample", evaluated=True)
    for method, right in (("alone", 10), ("kd", 14), ("sp", 12)):
        evaluate(made, f"resnet20-resnet8-{method}", right=right)
    rows = {row.id: row.cells for row in made.build(SAMPLE).rows}
    assert (rows["kd"]["gain"].value, rows["kd"]["over_kd"].value) == (10.0, None)
    assert (rows["sp"]["gain"].value, rows["sp"]["over_kd"].value) == (5.0, -5.0)
    assert rows["alone"]["gain"].value is None
    hits = np.arange(40)[None] < np.array([[12], [10]])
    _, expected = intervals.paired_images(hits[:1], hits[1:])
    assert rows["sp"]["gain"].interval == pytest.approx(expected, abs=1e-4)
    assert "paired on 40 images" in str(rows["sp"]["gain"].method)


def test_one_seed_is_compared_with_the_same_seed_of_three(project: Fabricate) -> None:
    made = project("cpu", PAIR, evaluated=True)
    write_counts("cifar100", train=45000, validation=5000, test=10000)
    evaluate(made, f"{PAIR}-alone", right=10, seed=0)
    for seed, right in ((1, 30), (2, 30)):
        evaluate(made, f"{PAIR}-alone", right=right, seed=seed)
    evaluate(made, f"{PAIR}-sp", right=12)
    cells = {row.id: row.cells for row in made.build(f"{KEY}/{PAIR}").rows}
    assert cells["sp"]["gain"].value == 5.0
    assert "paired t over 3 seeds" in str(cells["dkd"]["gain"].method)


def test_a_student_of_two_teachers_is_compared_with_its_one_training_alone(project: Fabricate) -> None:
    made = project("paper", "resnet56-resnet20", "resnet110-resnet20", evaluated=True)
    write_counts("cifar100", train=45000, validation=5000, test=10000)
    evaluate(made, "resnet56-resnet20-alone", right=10)
    evaluate(made, "resnet110-resnet20-kd", right=14)
    cells = {row.id: row.cells for row in made.build(f"{KEY}/resnet110-resnet20").rows}
    assert "alone" not in cells and cells["kd"]["gain"].value == 10.0


class TestVerdicts:
    @pytest.fixture
    def made(self, project: Fabricate) -> Project:
        found = project("paper", PAIR, "wrn_40_2-wrn_16_2", evaluated=True)
        write_counts("cifar100", train=45000, validation=5000, test=10000)
        return found

    def test_the_printed_value_stands_beside_the_epoch_that_it_reports(self, made: Project) -> None:
        rows = {row.id: row.cells for row in made.build(f"{KEY}/{PAIR}").rows}
        kd, dkd = rows["kd"], rows["dkd"]
        assert (kd["last_epoch"].paper, kd["best_on_test"].paper) == (73.33, None)
        assert (dkd["last_epoch"].paper, dkd["best_on_test"].paper) == (None, 76.32)
        assert dkd["best_on_test"].printed_key == "tables.mdistiller_dkd_same.rows.DKD.resnet32x4->resnet8x4"
        assert (rows["teacher"]["last_epoch"].paper, rows["alone"]["last_epoch"].paper) == (79.42, 72.5)
        assert kd["validation"].value is None and kd["validation"].reason == "no images were held out to choose on"

    def test_an_accuracy_is_judged_by_our_interval(self, made: Project) -> None:
        """30 of 40 images: 75 % with 95 % interval [59.8, 85.8]; 10 of 40: 25 %."""
        for method, right, verdict in (("dkd", 75.0, "reproduced"), ("dkd_lskd", 25.0, "differs")):
            evaluate(made, f"{PAIR}-{method}", best=right)
            rows = {row.id: row.cells for row in made.build(f"{KEY}/{PAIR}").rows}
            assert rows[method]["best_on_test"].verdict == verdict

    def test_parameters_are_shown_in_words(self, made: Project) -> None:
        rows = {row.id: row.cells for row in made.build(f"{KEY}/{PAIR}").rows}
        stated = str(rows["dkd_lskd"]["settings"].value).split(", ")
        assert "standardise" in stated and "temperature 2" in stated

    def test_a_printed_table_shows_all_its_values(self, made: Project) -> None:
        built = made.build(f"{KEY}/repdistiller_same")
        cells = {row.id: row.cells for row in built.rows}
        assert len([cell for row in cells.values() for cell in row.values() if cell.paper]) == 7 + 7 + 90
        assert cells["crd"][PAIR].paper == 75.51 and cells["crd"][PAIR].kind == "measured"
        assert cells["fsp"]["wrn_40_2-wrn_40_1"].paper is None

    def test_methods_that_are_not_here_are_shown_without_ours(self, made: Project) -> None:
        cells = {row.id: row.cells for row in made.build(f"{KEY}/kdpp").rows}
        assert (cells["kdpp"][PAIR].paper, cells["kdpp"][PAIR].reason) == (75.54, "not among the methods here")

    def test_a_table_with_another_protocol_is_never_judged(self, made: Project) -> None:
        cells = {row.id: row.cells for row in made.build(f"{KEY}/sskd_same").rows}
        kd = cells["kd"]["wrn_40_2-wrn_16_2"]
        assert (kd.paper, kd.verdict, kd.reason) == (74.92, "not comparable", "own teachers and students")


class TestWhatIsNoPrintedPair:
    """The pair has the name of a printed one, and something else is not the tables'."""

    PAIR = "resnet56-resnet20"

    @pytest.fixture
    def made(self, project: Fabricate) -> Project:
        found = project("paper", self.PAIR, evaluated=True)
        write_counts("cifar100", train=45000, validation=5000, test=10000)
        return found

    def rows(self, made: Project) -> dict[str, dict[str, Cell]]:
        return {row.id: row.cells for row in made.build(f"{KEY}/{self.PAIR}").rows}

    @pytest.mark.parametrize(("key", "value", "reason"), [
        ("input_size", 16, "input size 16, printed 32"),
        ("normalisation", "unit", "normalisation unit, printed cifar100"),
    ])  # fmt: skip
    def test_other_inputs_are_no_printed_training(self, made: Project, key: str, value: object, reason: str) -> None:
        assert self.rows(made)["kd"]["last_epoch"].verdict != "not comparable"
        made.raw["datasets"]["cifar100"][key] = value
        kd = self.rows(made)["kd"]["last_epoch"]
        assert (kd.paper, kd.verdict) == (70.66, "not comparable") and reason in str(kd.reason)

    def test_another_teacher_has_no_printed_value_beside_it(self, made: Project) -> None:
        made.raw["studies"][KEY]["teachers"]["resnet56"]["model"] = "vgg13"
        rows = self.rows(made)
        assert (rows["teacher"]["last_epoch"].paper, rows["kd"]["last_epoch"].paper) == (None, None)
        assert f"{KEY}/repdistiller_same" not in tables.known(
            made.config()
        )  # the printed table has none of its pairs here

    def test_nor_has_another_data_set(self, made: Project) -> None:
        made.raw["datasets"]["mine"] = made.raw["datasets"].pop("cifar100")
        study = made.raw["studies"][KEY]
        for line in [*study["teachers"].values(), *study["experiments"].values()]:
            line["dataset"] = "mine"
        write_counts("mine", train=90, validation=10, test=20)
        rows = self.rows(made)
        assert rows["teacher"]["last_epoch"].paper is None and rows["dkd"]["best_on_test"].paper is None


class TestTheColumnOfValidation:
    def test_another_choice_of_the_epoch_does_not_stand_there(self, project: Fabricate) -> None:
        made = project("sample", evaluated=True)
        made.raw["studies"][KEY]["recipes"]["usual"]["select_on"] = "last_epoch"
        built = made.build(SAMPLE)
        rows = {row.id: row.cells["validation"] for row in built.rows}
        assert rows["teacher"].value is not None and rows["kd"].value is None
        assert rows["kd"].reason == "the recipe chooses another epoch, by select_on: last_epoch"
        assert any("at the chosen epoch (select_on: last_epoch)" in note for note in built.notes)

    def test_a_teacher_from_a_file_has_no_epochs(self, project: Fabricate) -> None:
        made = project("sample", evaluated=True)
        made.raw["studies"][KEY]["teachers"]["resnet20"]["weights"] = "teacher.safetensors"
        teacher = {row.id: row.cells for row in made.build(SAMPLE).rows}["teacher"]
        reason = "its weights are a file: nothing is known of its epochs"
        assert (teacher["validation"].reason, teacher["best_on_test"].reason) == (reason, reason)
        assert teacher["last_epoch"].value is not None


class TestNotes:
    def test_chance_and_what_makes_a_row_another_comparison_are_said(self, project: Fabricate) -> None:
        made = project("sample", evaluated=True)
        made.raw["studies"][KEY]["experiments"]["resnet20-resnet8-dkd"]["method"]["warm_up"] = 20
        notes = "\n".join(made.build(SAMPLE).notes)
        assert (
            "30 intervals of 95 % against the student alone: " in notes
            and "about 1.5 of them would exclude 0 by chance" in notes
        )
        assert "DKD: warm_up 20 does not end within its 3 epochs, so its loss never has its full weight." in notes
        assert "DKD+LSKD: warm_up" not in notes and "SimKD: its student keeps a projector" in notes

    def test_the_choice_on_the_test_set_is_averaged_over_students(self, project: Fabricate) -> None:
        made = project("sample", evaluated=True)
        evaluate(made, "resnet20", kind="teachers", best=100.0)
        effects = [row.cells["selection"].value for row in made.build(SAMPLE).rows if row.id != "teacher"]
        mean = np.mean([float(value) for value in effects if value is not None])
        assert any(f"{mean:.2f} on average over the students" in note for note in made.build(SAMPLE).notes)


def test_a_student_may_teach(project: Fabricate) -> None:
    """The pair then has its table, and its teacher's row is the student's that teaches."""
    made = project("sample", evaluated=True)
    lines = made.raw["studies"][KEY]["experiments"]
    assistant = {"teacher": {"experiment": "resnet20-resnet8-kd"}, "row": "resnet8-resnet8-kd"}
    lines["resnet8-resnet8-kd"] = lines["resnet20-resnet8-kd"] | assistant
    evaluate(made, "resnet8-resnet8-kd", right=11)
    evaluate(made, "resnet20-resnet8-kd", right=13)
    rows = {row.id: row for row in made.build(f"{KEY}/resnet8-resnet8").rows}
    assert rows["teacher"].label == "teacher: resnet8" and rows["teacher"].cells["validation"].value == 32.5
    assert rows["kd"].cells["validation"].value == 27.5

"""The small-dataset study's six tables by hand: train and test lines, both choices of an epoch, paired differences."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cellar import files, paths, tables
from cellar.config import Config
from cellar.errors import CellarError
from cellar.provenance.cell_names import built_table
from cellar.provenance.cell_provenance import cell_provenance
from cellar.tables import render
from cellar.tables.cells import Cell, Table, as_json
from cellar.tables.printed_values import paper
from studies.small_dataset_kd.printed import KEY
from studies.small_dataset_kd.tables.lines import ROWS
from tests import pins_project
from tests.pins_project import Raw
from tests.table_project import put_studies

TABLES = [f"pins_table_{number}" for number in range(1, 7)]
ONE, TWO, THREE, FOUR, FIVE, SIX = TABLES
T2 = 4.302653  # 97.5 % point of Student's t with 2 degrees of freedom


class Pins:
    """A project of the study alone; `raw` is its params.yaml, to be spoiled, its metrics are made up."""

    def __init__(self, raw: Raw) -> None:
        self.raw = raw

    @property
    def study(self) -> Raw:
        """What params.yaml says about the study, to be spoiled."""
        sections: Raw = self.raw["studies"][KEY]
        return sections

    def config(self) -> Config:
        return pins_project.read(self.raw)

    def build(self, table: str) -> Table:
        return tables.build(table, self.config())

    def inputs(self, table: str) -> list[str]:
        return tables.find(table, self.config()).inputs()

    def shown(self, table: str) -> Raw:
        return tables.find(table, self.config()).shown()

    def cell(self, table: str, row: str, column: str) -> Cell:
        return {one.id: one for one in self.build(table).rows}[row].cells[column]

    def write(self, row: str, seed: int = 0, **values: Any) -> None:
        line = self.config().params(KEY).experiment(f"pins-{row}")
        pins_project.write(f"pins-{row}", line.method_name, line.model, seed, **values)

    def real(self) -> None:
        """Have the paper's own recipes and photographs, and the weights that `pins_project` names."""
        pins_project.become_real(self.raw)

    def three_seeds(self, *rows: str) -> None:
        for row in rows:
            self.study["experiments"][f"pins-{row}"]["seeds"] = [0, 1, 2]


@pytest.fixture(scope="session")
def template(shipped: Raw, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project's files, made up once; tests work in copies."""
    folder = tmp_path_factory.mktemp("pins")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        put_studies()
        pins_project.write_all(pins_project.read(pins_project.with_pins(shipped)).params(KEY))
    return folder


@pytest.fixture
def pins(shipped: Raw, template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pins:
    """A copy to spoil. Its files are links: write by cellar.files, which replaces, never in place."""
    shutil.copytree(template, tmp_path, dirs_exist_ok=True, copy_function=os.link)
    monkeypatch.chdir(tmp_path)
    return Pins(pins_project.with_pins(shipped))


def printed_rows(table: str) -> dict[str, Any]:
    return dict(paper(KEY).table(table.removeprefix("pins_"))["rows"])


class TestWhatIsPrinted:
    @pytest.mark.parametrize("table", [TWO, THREE, FIVE, SIX])
    def test_every_printed_number_stands_in_its_cell(self, pins: Pins, table: str) -> None:
        """Train figures beside ours on training images, test figures beside both of ours on test images."""
        rows = {row.id: row for row in pins.build(table).rows}
        for name, printed in printed_rows(table).items():
            id_ = next(i for i, (place, net) in ROWS.items() if (f"pins_{place}", net) == (table, name))
            for figure in ("f1", "pre", "rec", "acc"):
                cells = rows[f"{id_}-{figure}"].cells
                assert cells["train"].paper == printed["train"][figure]
                assert cells["test"].paper == cells["best_on_test"].paper == printed["test"][figure]
            epochs = rows[f"{id_}-epoch"].cells
            assert (epochs["best_on_test"].paper, epochs["test"].paper) == (printed["epoch"], None)

    def test_one_shot_and_label_kd_print_an_accuracy_alone(self, pins: Pins) -> None:
        cells = {row.id: row.cells for row in pins.build(ONE).rows + pins.build(FOUR).rows}
        assert [cells["oneshot_convnet9-acc"][c].paper for c in ("train", "test", "best_on_test")] == [
            None,
            83.10,
            83.10,
        ]
        assert cells["oneshot_resnet50-acc"]["test"].paper == 91.16
        assert [cells["labels_convnet9-acc"][c].paper for c in ("train", "test")] == [81.41, 2.561]
        assert cells["labels_convnet9-f1"]["test"].paper is None

    def test_the_r2_of_the_text_stand_beside_the_pre_trainings(self, pins: Pins) -> None:
        cells = {row.id: row.cells["test"] for row in pins.build(FIVE).rows}
        assert (cells["mse_convnet9_features-r2_last"].value, cells["mse_convnet9_features-r2_last"].paper) == (
            -4.25,
            -4062,
        )
        assert (cells["mse_resnet18_features-r2"].value, cells["mse_resnet18_features-r2"].paper) == (-3.5, -20.61)
        assert cells["mse_resnet18_features-epoch"].paper == 82
        assert cells["mse_resnet18_features_lr4-r2"].paper is None

    def test_the_best_r2_is_the_highest_of_all_learning_rates(self, pins: Pins) -> None:
        pins.write("mse_resnet18_features_lr5", r2=-1.25)
        cell = pins.cell(FIVE, "mse_resnet18_features_highest-r2", "test")
        assert (cell.value, cell.paper, cell.verdict) == (-1.25, -14.41, "not comparable")
        assert len(cell.metrics or []) == 3

    def test_what_is_ours_has_no_printed_value(self, pins: Pins) -> None:
        for table, row in ((ONE, "meta_convnet9-acc"), (SIX, "bce_resnet18_unfrozen-acc"), (FIVE, "mse_resnet18-acc")):
            assert pins.cell(table, row, "test").paper is None
            assert pins.cell(table, row, "test").verdict is None
        assert pins.cell(ONE, "meta_convnet9-before", "test").value == 21.0


class TestOurs:
    def test_each_column_has_its_own_number(self, pins: Pins) -> None:
        """20 of 40 test and 36 of 40 training images; 62.5 % at the best test epoch."""
        cells = {c: pins.cell(TWO, "scratch_resnet18-acc", c) for c in ("train", "test", "best_on_test")}
        assert [cell.value for cell in cells.values()] == [90.0, 50.0, 62.5]
        assert [bool(cell.interval) for cell in cells.values()] == [False, True, True]
        f1 = {c: pins.cell(TWO, "scratch_resnet18-f1", c) for c in ("test", "best_on_test")}
        assert f1["best_on_test"].value == 60.0 and f1["test"].interval is None
        assert pins.cell(TWO, "scratch_resnet18-epoch", "test").value == 7
        assert pins.cell(TWO, "scratch_resnet18-epoch", "best_on_test").value == 5

    def test_a_rate_of_one_run_has_wilsons_interval(self, pins: Pins) -> None:
        """20 of 40: 0.5 +- z / (n + z^2) * sqrt(n / 4 + z^2 / 4), z = 1.959964."""
        z = 1.959964
        half = 100 * z / (40 + z * z) * (10 + z * z / 4) ** 0.5
        cell = pins.cell(TWO, "scratch_convnet9-acc", "test")
        assert cell.interval == pytest.approx([50 - half, 50 + half], abs=1e-3)
        assert cell.n == 40

    def test_macro_averages_are_shown_not_micro(self, pins: Pins) -> None:
        path = paths.metrics("students", f"{KEY}/pins-scratch_convnet9", 0)
        scores = files.read_json(path)
        files.write_json(path, scores | {"macro": {"precision": 1.0, "recall": 2.0, "f1": 3.0}})
        assert [pins.cell(TWO, f"scratch_convnet9-{f}", "test").value for f in ("pre", "rec", "f1")] == [1.0, 2.0, 3.0]

    def test_three_runs_have_students_interval_of_every_figure(self, pins: Pins) -> None:
        """F1 of the best test epoch 50, 60, 70: mean 60, sd 10."""
        pins.three_seeds("scratch_resnet18")
        for seed, best in enumerate((50.0, 60.0, 70.0)):
            pins.write("scratch_resnet18", seed=seed, best=best)
        cell = pins.cell(TWO, "scratch_resnet18-f1", "best_on_test")
        half = T2 * 10 / 3**0.5
        assert (cell.value, cell.n) == (60.0, 3)
        assert cell.interval == pytest.approx([60 - half, 60 + half], abs=1e-3)

    def test_epochs_of_several_seeds_stand_one_by_one(self, pins: Pins) -> None:
        pins.three_seeds("scratch_resnet18")
        for seed in range(3):
            pins.write("scratch_resnet18", seed=seed)
        path = paths.metrics("students", f"{KEY}/pins-scratch_resnet18", 1)
        files.write_json(path, files.read_json(path) | {"epoch": 9})
        assert pins.cell(TWO, "scratch_resnet18-epoch", "test").value == "7, 9, 7"

    def test_what_was_not_watched_or_scored_is_a_dash_with_its_reason(self, pins: Pins) -> None:
        pins.write("scratch_resnet18", best=None)
        path = paths.details("students", f"{KEY}/pins-scratch_resnet50", 0)
        scores = files.read_json(path)
        del scores["train"]
        files.write_json(path, scores)
        best, train = (
            pins.cell(TWO, "scratch_resnet18-f1", "best_on_test"),
            pins.cell(TWO, "scratch_resnet50-f1", "train"),
        )
        assert (best.value, best.paper, best.reason) == (
            None,
            52.38,
            "the test images were not watched while it trained",
        )
        assert (train.value, train.paper, train.reason) == (
            None,
            95.17,
            "the training images were not watched while it trained",
        )
        assert pins.cell(TWO, "scratch_resnet18-f1", "test").value == 50.0


class TestVerdicts:
    def test_drawn_faces_are_not_judged(self, pins: Pins) -> None:
        judged = [c for t in TABLES for r in pins.build(t).rows for c in r.cells.values() if c.verdict]
        assert {cell.verdict for cell in judged} == {"not comparable"}

    @pytest.mark.parametrize(("right", "verdict"), [(21, "reproduced"), (35, "differs")])
    def test_at_the_papers_scale_an_accuracy_is(self, pins: Pins, right: int, verdict: str) -> None:
        """52.14 is printed for ResNet-18: 21 of 40 is near, 35 is not."""
        pins.real()
        pins.write("scratch_resnet18", right=right)
        assert pins.cell(TWO, "scratch_resnet18-acc", "test").verdict == verdict

    def test_an_f1_of_one_run_has_no_interval_to_be_judged_by(self, pins: Pins) -> None:
        pins.real()
        cell = pins.cell(TWO, "scratch_resnet18-f1", "test")
        assert (cell.verdict, cell.reason) == ("not comparable", "fewer than 3 runs give no interval of it")

    def test_a_same_data_teacher_forbids_it_all_the_way_down(self, pins: Pins) -> None:
        """The sigmoid teacher starts from the teacher whose weights were published; now those are trained here."""
        pins.real()
        assert pins.cell(SIX, "bce_resnet18-acc", "test").verdict in ("reproduced", "differs")
        del pins.study["teachers"]["pins-resnet50"]["weights"]
        for table, row in (
            (ONE, "oneshot_resnet50-acc"),
            (THREE, "transfer_resnet50-acc"),
            (FIVE, "mse_convnet9-acc"),
            (FIVE, "mse_convnet9_features-r2_last"),
            (SIX, "bce_resnet18-acc"),
        ):
            cell = pins.cell(table, row, "test")
            assert cell.verdict == "not comparable"
            assert "same-data teacher: pins-" in (cell.reason or "")
        assert pins.cell(ONE, "oneshot_convnet9-acc", "test").verdict in ("reproduced", "differs")
        assert any(note.startswith("bce_resnet18, bce_convnet9") for note in pins.build(SIX).notes)
        gain = pins.cell(SIX, "bce_resnet18-acc", "gain")
        assert gain.verdict == "not comparable" and "same-data teacher" in (gain.reason or "")

    def test_published_weights_need_no_such_note(self, pins: Pins) -> None:
        assert not [n for t in TABLES for n in pins.build(t).notes if "same-data" in n]

    def test_the_authors_form_of_resnet18_is_no_other_network(self, pins: Pins) -> None:
        """It is named, and compared with the paper's row."""
        pins.real()
        pins.study["experiments"]["pins-scratch_resnet18"]["model"] = "resnet18_vggface2"
        row = next(row for row in pins.build(TWO).rows if row.id == "scratch_resnet18-acc")
        assert row.label == "ResNet-18 (here resnet18_vggface2): ACC (%)"
        assert row.cells["test"].verdict == "reproduced"  # 20 of 40 test images, 52.14 % in the paper

    def test_another_network_is_named(self, pins: Pins) -> None:
        pins.real()
        pins.study["experiments"]["pins-scratch_resnet50"]["model"] = "resnet18"
        rows = {row.id: row for row in pins.build(TWO).rows}
        assert rows["scratch_resnet50-acc"].label == "ResNet-50 (here resnet18): ACC (%)"
        cell = rows["scratch_resnet50-acc"].cells["test"]
        assert (cell.verdict, cell.reason) == ("not comparable", "another network: resnet18, printed resnet50_vggface2")


class TestDifferences:
    def test_of_one_seed_it_is_paired_over_images(self, pins: Pins) -> None:
        """30 and 20 of 40 rightly named, the 20 among the 30: 25 points."""
        pins.write("bce_resnet18", right=30)
        cell = pins.cell(SIX, "bce_resnet18-acc", "gain")
        assert (cell.value, cell.paper, cell.unit) == (25.0, round(79.83 - 52.14, 2), "points")
        assert cell.interval and cell.interval[0] > 0
        said = [note for note in pins.build(SIX).notes if note.startswith("ResNet-18 (bce_resnet18) minus")]
        assert len(said) == 1 and said[0].endswith(": feature KD helps.") and "+25.00 points" in said[0]
        assert (
            "results/predictions/students/small_dataset_kd/pins-scratch_resnet18/seed-0/predictions.npz"
            in pins.inputs(SIX)
        )

    def test_from_three_seeds_on_it_is_paired_over_seeds(self, pins: Pins) -> None:
        """22, 24, 26 against 20 each: 5, 10, 15 points; mean 10, sd 5."""
        pins.three_seeds("scratch_resnet18", "bce_resnet18")
        for seed, right in enumerate((22, 24, 26)):
            pins.write("bce_resnet18", seed=seed, right=right)
            pins.write("scratch_resnet18", seed=seed, right=20)
        cell = pins.cell(SIX, "bce_resnet18-acc", "gain")
        half = T2 * 5 / 3**0.5
        assert cell.value == 10.0
        assert cell.interval == pytest.approx([10 - half, 10 + half], abs=1e-3)
        assert (cell.reason or "").startswith("feature KD makes no difference that these runs can tell")

    @pytest.mark.parametrize(
        ("table", "row", "word", "paper"),
        [
            (THREE, "transfer_mobilenet", "transfer hurts", 36.57 - 68.15),
            (FOUR, "labels_convnet9", "label KD hurts", 2.561 - 19.78),
            (FIVE, "mse_convnet9", "feature KD hurts", 2.29 - 19.78),
        ],
    )
    def test_every_way_of_help_is_compared(self, pins: Pins, table: str, row: str, word: str, paper: float) -> None:
        pins.write(row, right=5)
        cell = pins.cell(table, f"{row}-acc", "gain")
        assert (cell.value, cell.paper) == (-37.5, pytest.approx(paper, abs=0.005))
        assert (cell.reason or "").startswith(word)

    def test_without_scratch_of_the_same_seeds_it_is_not_run(self, pins: Pins) -> None:
        pins.study["experiments"]["pins-scratch_resnet18"]["seeds"] = [4]
        cell = pins.cell(SIX, "bce_resnet18-acc", "gain")
        assert (cell.kind, cell.value, cell.paper) == ("not_run", None, 27.69)

    def test_other_test_images_are_one_line(self, pins: Pins) -> None:
        pins.write("bce_resnet18", first=1)
        with pytest.raises(CellarError, match="hold different test images"):
            pins.build(SIX)

    def test_a_pre_training_is_compared_with_nothing(self, pins: Pins) -> None:
        assert pins.cell(SIX, "bce_resnet18_features-r2", "gain").value is None
        assert "gain" not in {column.id for column in pins.build(TWO).columns}


@pytest.mark.parametrize(
    ("table", "said"),
    [
        (ONE, "the paper prints 83.10; its Figure 8 has 83 as the highest of the train curve and 79 of the test curve"),
        (TWO, "ResNet-18 has the highest F1 (52.38); the table has 70.49 for InceptionV3 and 69.75 for MobileNet."),
        (TWO, "13M parameters; its 27 convolutions are MobileNet v1's, of 3,314,601 parameters: 13.26 MB"),
        (TWO, "trains for 200, and prints as best epoch 272 (InceptionV3)."),
        (TWO, "macro REC is ACC; the paper prints 99.89 and 99.30."),
        (TWO, "InceptionV3 and MobileNet: the printed F1 is the harmonic mean"),
        (TWO, "the paper says Binary Cross Entropy, its authors' code has CrossEntropyLoss."),
        (TWO, "The paper's epoch is the epoch of top-1 F1 on the test images"),
        (THREE, "prints as best epoch 242 (InceptionV3)."),
        (THREE, "InceptionV3 68.77 from scratch and 26.09 from ImageNet; MobileNet 68.15 from scratch and 36.57"),
        (FOUR, "The paper prints 81.41 and 2.561"),
        (FIVE, "-4062 for ConvNet-9 at epoch 100, -20.61 for ResNet-18 at epoch 82, and -14.41"),
        (FIVE, "only the mean of the very activations"),
        (SIX, "macro REC is ACC; the paper prints 81.66 and 81.93."),
        (SIX, "12,442,281 of 23,723,177 parameters, 52 %."),
        (SIX, "1,024 faces without labels; the paper 102,400."),
    ],
)
def test_where_the_paper_contradicts_itself_is_told(pins: Pins, table: str, said: str) -> None:
    assert [note for note in pins.build(table).notes if said in note]


def test_contradictions_follow_the_printed_numbers(pins: Pins) -> None:
    """In a paper whose ResNet-18 is best indeed, and whose epochs end in time, nothing is said."""
    text = paths.printed(KEY).read_text(encoding="utf-8")
    text = text.replace("f1: 52.38", "f1: 99.38").replace("epoch: 272", "epoch: 172")
    files.write_text(paths.printed(KEY), text)
    notes = "\n".join(pins.build(TWO).notes)
    assert "highest F1" not in notes and "Epochs:" not in notes


def test_what_train_is_stands_under_tables_of_classes_alone(pins: Pins) -> None:
    said = "train: what the network guessed in the epoch that was chosen, while it was trained on augmented images"
    assert [any(said in note for note in pins.build(f"pins_table_{n}").notes) for n in range(1, 7)] == [False] + 5 * [
        True
    ]


def test_the_last_epoch_in_place_of_the_best_is_told(pins: Pins) -> None:
    assert not any("last epoch, as the recipe says" in note for note in pins.build(TWO).notes)
    pins.study["recipes"]["blind"] = {**pins.study["recipes"]["slow"], "select_on": "last_epoch"}
    pins.study["experiments"]["pins-scratch_convnet9"]["recipe"] = "blind"
    assert "ConvNet-9: in place of the best on validation stands the last epoch, as the recipe says." in (
        pins.build(TWO).notes
    )


def switch_off(pins: Pins) -> None:
    pins.raw["datasets"]["pins"]["enabled"] = False


def take_lines_out(pins: Pins) -> None:
    pins.study["experiments"] = {}


@pytest.mark.parametrize("how", [switch_off, take_lines_out])
def test_what_does_not_run_reads_so_beside_the_printed_values(pins: Pins, how: Callable[[Pins], None]) -> None:
    how(pins)
    for table in TABLES:
        built = pins.build(table)
        kinds = {row.cells["test"].kind for row in built.rows}
        assert kinds == {"not_run"}
        assert pins.inputs(table) == [str(paths.printed(KEY))]
        assert list(pins.shown(table)) == ["scale"]
        assert built.notes and "not run" in render.markdown(built)
    assert pins.cell(TWO, "scratch_resnet18-f1", "best_on_test").paper == 52.38
    assert pins.cell(SIX, "bce_resnet18-acc", "gain").paper == 27.69
    assert pins.cell(FIVE, "mse_resnet18_features_highest-r2", "test").paper == -14.41


def test_without_the_data_set_there_is_no_table_of_it(pins: Pins) -> None:
    assert [name for name in tables.known(pins.config()) if "pins" in name] == TABLES
    pins.study["experiments"], pins.study["teachers"], pins.raw["datasets"] = {}, {}, {}
    assert not [name for name in tables.known(pins.config()) if "pins" in name]
    with pytest.raises(CellarError, match="there is no table 'pins_table_1'"):
        pins.build(ONE)


class TestRowsOfTheUsersOwn:
    @pytest.mark.parametrize(
        ("like", "table", "figure"),
        [
            ("oneshot_convnet9", ONE, "acc"),
            ("scratch_resnet18", TWO, "f1"),
            ("transfer_mobilenet", THREE, "acc"),
            ("labels_convnet9", FOUR, "acc"),
            ("mse_convnet9_features", FIVE, "r2"),
            ("bce_resnet18", SIX, "acc"),
        ],
    )
    def test_they_stand_below_in_the_table_of_their_method(
        self, pins: Pins, like: str, table: str, figure: str
    ) -> None:
        pins.study["experiments"]["pins-mine"] = {**pins.study["experiments"][f"pins-{like}"], "row": "mine"}
        pins.write("mine")
        row = next(row for row in pins.build(table).rows if row.id == f"mine-{figure}")
        assert row.label.startswith(f"mine: {pins.study['experiments']['pins-mine']['model']}: ")
        assert row.cells["test"].value is not None
        assert {cell.paper for cell in row.cells.values()} == {None}
        others = [name for name in TABLES if name != table]
        assert not [row.id for name in others for row in pins.build(name).rows if row.id.startswith("mine")]

    def test_one_that_learns_from_an_experiment_stands_on_the_teachers_of_that(self, pins: Pins) -> None:
        like = {**pins.study["experiments"]["pins-labels_convnet9"], "row": "mine"}
        pins.study["experiments"]["pins-mine"] = like | {"teacher": {"experiment": "pins-transfer_mobilenet"}}
        pins.write("mine")
        pins.real()
        assert pins.cell(FOUR, "mine-acc", "test").value == 50.0
        pins.study["experiments"]["pins-transfer_resnet50"]["start"] = {"teacher": "pins-resnet50"}
        del pins.study["teachers"]["pins-resnet50"]["weights"]
        pins.study["experiments"]["pins-labels_convnet9"]["teacher"] = {"experiment": "pins-transfer_resnet50"}
        cell = pins.cell(FOUR, "labels_convnet9-acc", "test")
        assert (cell.verdict, cell.reason) == (
            "not comparable",
            "same-data teacher: pins-resnet50 was trained here, on this data set alone",
        )

    def test_one_that_learns_from_a_transfer_of_published_weights_is_comparable(self, pins: Pins) -> None:
        """As the paper's label KD does (section 5.5); what its teacher starts from is among the table's parameters."""
        transfer = pins.study["experiments"]["pins-transfer_inceptionv3"]
        transfer["start"] = {"weights": "data/raw/imagenet.pth"}
        pins.study["experiments"]["pins-labels_convnet9"]["teacher"] = {"experiment": "pins-transfer_inceptionv3"}
        pins.real()
        assert pins.cell(FOUR, "labels_convnet9-acc", "test").verdict == "differs"
        assert "experiments.pins-transfer_inceptionv3.start" in str(pins.shown(FOUR))


@pytest.mark.usefixtures("pins")
class TestThePaperInItsOwnWords:
    """What the text says, read in it: sections 5.5 and 7.3; Table 3 has no line for where weights come from."""

    def test_label_kd_names_its_teacher(self, pins: Pins) -> None:
        said = next(note for note in pins.build(FOUR).notes if note.startswith("Teacher: "))
        assert said.startswith(
            "Teacher: InceptionV3 by transfer learning, trained on ImageNet, then on Pins (section 5.5): 26.09"
        )
        assert "not said" not in said

    def test_table_3_names_no_weights(self, pins: Pins) -> None:
        assert (
            "ResNet-50: section 5.4.1 says VGG-FACE, section 7.3 VGGFace2; the table names no weights."
            in pins.build(THREE).notes
        )


@pytest.mark.parametrize("table", TABLES)
class TestEveryTable:
    def test_it_needs_its_inputs_and_nothing_else(self, pins: Pins, table: str) -> None:
        before, needed = as_json(pins.build(table)), pins.inputs(table)
        for path in [
            one for one in Path().rglob("*") if one.is_file() and one.suffix != ".py" and str(one) not in needed
        ]:
            path.unlink()
        assert as_json(pins.build(table)) == before
        for path in map(Path, needed):
            kept = path.rename("kept")
            with pytest.raises(CellarError, match=f"^{path} does not exist; [^\n]+$"):
                pins.build(table)
            kept.rename(path)

    def test_its_cells_name_only_files_that_it_reads(self, pins: Pins, table: str) -> None:
        cells = [cell for row in pins.build(table).rows for cell in row.cells.values()]
        named = {path for cell in cells for path in cell.metrics or []}
        assert named and named <= set(pins.inputs(table))
        assert all(cell.stage and cell.metrics for cell in cells if cell.kind == "measured")

    def test_its_markdown_is_a_table(self, pins: Pins, table: str) -> None:
        built = pins.build(table)
        text = render.markdown(built)
        lines = [line for line in text.splitlines() if line.startswith("|")]
        assert len(lines) == len(built.rows) + 2 and len({len(line) for line in lines}) == 1
        assert "come from synthetic faces, not from photographs" in text.splitlines()[0]
        assert len({row.id for row in built.rows}) == len(built.rows)
        assert all(set(row.cells) == {column.id for column in built.columns} for row in built.rows)

    def test_the_values_that_it_prints_are_those_of_params_yaml(self, pins: Pins, table: str) -> None:
        values = pins.shown(table)
        assert next(iter(values)) == "scale" and len(values) > 3
        for dotted, value in values.items():
            section, *keys = dotted.split(".")
            raw: Any = pins.study.get(section, pins.raw.get(section))
            for key in keys:
                raw = raw[key]
            assert isinstance(raw, dict) or value == raw, dotted


def test_whose_weights_a_teacher_has_is_a_parameter_of_the_table(pins: Pins) -> None:
    keys = pins.shown(SIX)
    assert {"teachers.pins-resnet50.weights", "teachers.pins-sigmoid.start"} <= set(keys)


def test_explain_knows_where_the_paper_prints_what(pins: Pins) -> None:
    for table, row, place in (
        (TWO, "scratch_resnet18-f1", "tables.table_2.rows.ResNet-18.test.f1"),
        (FIVE, "mse_resnet18_features-r2", "text_values.r2_resnet18_mse"),
    ):
        render.write(pins.build(table), paths.TABLES)
        found = cell_provenance(built_table(table), row, "test")
        assert found["paper_file"] == f"{paths.printed(KEY)}, {place}"


def test_a_row_as_markdown(pins: Pins) -> None:
    """Wilson's interval of 25 of 40 (62.5 %) is [47.03, 75.78]."""
    text = render.markdown(pins.build(SIX))
    line = next(one for one in text.splitlines() if one.startswith("| ResNet-18: ACC (%)"))
    assert [cell.strip() for cell in line.split("|")[2:-1]] == [
        "90.00", "81.93", "50.00 [35.20, 64.80]", "79.83", "62.50 [47.03, 75.78]", "79.83", "+0.00 [-4.67, +4.67]", "+27.69",
    ]  # fmt: skip

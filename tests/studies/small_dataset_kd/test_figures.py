"""The small-dataset study's figures 2, 3, 4, 8, 9 and 10: what each reads, what it shows, and what it refuses."""

import os
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from cellar import figures, files, paths
from cellar.config import Config, Params
from cellar.data.face_parts import cut_parts, faces_to_cut
from cellar.data.inputs import prepared
from cellar.data.inputs.prepared import ImageSet
from cellar.errors import CellarError
from cellar.figures import drawing
from studies.small_dataset_kd.figures import teacher_of_parts
from studies.small_dataset_kd.figures.pairs import face_pairs
from studies.small_dataset_kd.figures.parts import embed, face_parts, part_map
from tests import pins_project
from tests.figure_project import draw, inputs, picture, texts
from tests.pins_project import Raw
from tests.table_project import put_studies

KEY = pins_project.STUDY
ALL = ["pins_fig_2", "pins_fig_3", "pins_fig_4", "pins_fig_8", "pins_fig_9", "pins_fig_10"]
EPOCHS = np.arange(1, 7)
TEACHER, ONE_SHOT, KD = "pins-resnet50", "pins-oneshot_convnet9", "pins-bce_resnet18"
TRIPLETS = paths.predictions("students", f"{KEY}/{ONE_SHOT}", 0) / "predictions.npz"
SIDE = 40


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every file that the figures read, made up once."""
    folder = tmp_path_factory.mktemp("pins_figures")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        put_studies()
        faces = write_faces()
        write_activations(faces[:20])
        write_triplets(0.28, 1.31)
        write_history(ONE_SHOT, "accuracy", "loss")
        write_history(KD, "f1")
    return folder


@pytest.fixture
def pins(shipped: Raw) -> Raw:
    """params.yaml with the study alone, to be spoiled."""
    return pins_project.with_pins(shipped)


@pytest.fixture(autouse=True)
def project(template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(template, tmp_path, dirs_exist_ok=True, copy_function=os.link)
    monkeypatch.chdir(tmp_path)


def read(pins: Raw) -> Config:
    return pins_project.read(pins)


def view(pins: Raw) -> Params:
    return read(pins).params(KEY)


def write_faces() -> np.ndarray:
    """Four identities, six test images of each after one to train on; row r of image i is of shade 20 + 5 i + r."""
    labels = np.tile(np.arange(4), 7)
    shades = (20 + 5 * np.arange(len(labels))).astype(np.uint8)[:, None, None, None]
    faces = np.broadcast_to(shades + np.arange(SIDE, dtype=np.uint8)[:, None, None], (len(labels), SIDE, SIDE, 3))
    split = np.where(np.arange(len(labels)) < 4, "train", "test")
    names = tuple(f"pins_{name}" for name in pins_project.IDENTITIES)
    prepared.save(ImageSet(faces, labels, split, names), paths.prepared("pins"), "pins", "image_folder")
    pairs = "first,first_split,first_class,second,second_split,second_class,kind,distance,likeness,group\n"
    files.write_text(paths.audit_pairs("pins"), pairs)
    return faces


def write_activations(faces: np.ndarray, apart: float = 30.0) -> None:
    """The trained network has each part `apart` from the others, the untrained one all in one cloud."""
    random = np.random.default_rng(0)
    _, part = cut_parts(faces)
    cloud = random.normal(size=(len(part), 16)).astype(np.float32)
    centres = np.repeat(apart * np.eye(3, 16, dtype=np.float32), len(faces), axis=0)
    path = paths.part_activations(TEACHER)
    files.write_arrays(path, untrained=cloud, trained=cloud + centres, part=part, images=faces)


def write_triplets(near: float, far: float) -> None:
    index = np.array([[4, 8, 5], [6, 10, 7]])  # identities 0, 0, 1 and 2, 2, 3
    files.write_arrays(TRIPLETS, distances=np.array([[near, far], [9, 9]], np.float32), index=index)


def write_history(key: str, *endings: str, splits: tuple[str, ...] = ("train", "validation", "test")) -> None:
    """Of every ending and split 10, 20 or 30 times the epoch; the fifth epoch is chosen."""
    columns = {f"{split}_{end}": 10 * (n + 1) * EPOCHS for n, split in enumerate(splits) for end in endings}
    rows = pd.DataFrame({"epoch": EPOCHS, **columns, "learning_rate": 0.1, "chosen": (EPOCHS == 5).astype(int)})
    files.write_text(paths.trained("students", f"{KEY}/{key}", 0) / "history.csv", rows.to_csv(index=False))


class TestWhichFiguresThereAre:
    def test_with_every_line_all_six_and_every_input_is_read(self, pins: Raw) -> None:
        config = read(pins)
        assert figures.known(config) == [*ALL, "audit_pins"]
        for figure in ALL:
            assert list(figures.catalogue(config)[figure].shown()) == ["scale"]
            for path in map(Path, inputs(figure, config)):
                hidden = path.rename(path.with_suffix(".hidden"))
                with pytest.raises(CellarError, match=f"^{path} does not exist; [^\n]+$"):
                    drawing.draw(figure, config)
                hidden.rename(path)

    @pytest.mark.parametrize("figure", ALL)
    def test_a_figure_needs_no_file_but_its_inputs_and_is_the_same_twice(self, pins: Raw, figure: str) -> None:
        config = read(pins)
        needed = inputs(figure, config)
        for path in [one for one in Path().rglob("*.*") if one.is_file() and one.suffix != ".py"]:
            if str(path) not in needed:
                path.unlink()
        drawing.draw(figure, config)
        first = picture(figure).read_bytes()
        drawing.draw(figure, config)
        assert picture(figure).read_bytes() == first and len(first) > 5000

    def test_a_data_set_that_is_off_or_absent_has_none(self, pins: Raw) -> None:
        pins["datasets"]["pins"]["enabled"] = False
        assert figures.known(read(pins)) == []
        pins["datasets"], pins["studies"][KEY]["experiments"], pins["studies"][KEY]["teachers"] = {}, {}, {}
        assert figures.known(read(pins)) == []

    def test_without_splits_that_are_watched_no_epochs_are_drawn(self, pins: Raw) -> None:
        pins["studies"][KEY]["recipes"]["unwatched"] = pins["studies"][KEY]["recipes"][
            pins["studies"][KEY]["experiments"][KD]["recipe"]
        ] | {"watch": []}
        pins["studies"][KEY]["experiments"][KD]["recipe"] = "unwatched"
        assert [figure for figure in ALL if figure not in figures.known(read(pins))] == ["pins_fig_10"]

    def test_a_line_that_is_missing_takes_its_figures_along(self, pins: Raw) -> None:
        for key in (KD, ONE_SHOT, "pins-oneshot_resnet50"):
            del pins["studies"][KEY]["experiments"][key]
        assert figures.known(read(pins)) == ["pins_fig_2", "pins_fig_3", "audit_pins"]
        pins["studies"][KEY]["teachers"] = {}
        assert figures.known(read(pins)) == ["pins_fig_2", "audit_pins"]

    def test_the_map_is_of_the_teacher_without_a_connector(self, pins: Raw) -> None:
        pins["studies"][KEY]["teachers"] = dict(reversed(list(pins["studies"][KEY]["teachers"].items())))
        assert teacher_of_parts(view(pins)) == TEACHER
        del pins["studies"][KEY]["teachers"][TEACHER]
        assert teacher_of_parts(view(pins)) == "pins-sigmoid"
        del pins["studies"][KEY]["teachers"]["pins-sigmoid"]
        assert teacher_of_parts(view(pins)) is None

    def test_the_other_one_shot_line_serves_when_the_first_is_missing(self, pins: Raw) -> None:
        del pins["studies"][KEY]["experiments"][ONE_SHOT]
        needed = inputs("pins_fig_4", read(pins))
        assert needed[0] == "results/predictions/students/small_dataset_kd/pins-oneshot_resnet50/seed-0/predictions.npz"


class TestParts:
    def test_faces_stand_above_what_is_cut_from_them(self, pins: Raw) -> None:
        drawn = face_parts(view(pins))
        arrays = files.read_arrays(paths.prepared("pins") / "arrays.npz")
        faces = arrays["images"][faces_to_cut(arrays["labels"], arrays["split"], 6)]
        parts, _ = cut_parts(faces)
        for axes, wanted in zip(drawn.axes, [*faces, *parts], strict=True):
            np.testing.assert_array_equal(axes.images[0].get_array(), wanted)
        assert [len(axes.patches) for axes in drawn.axes] == [3] * 6 + [0] * 18
        assert [axes.get_ylabel() for axes in drawn.axes if axes.get_ylabel()] == ["eyes", "nose", "mouth"]

    def test_the_caption_says_that_boxes_are_fixed_and_images_drawn(self, pins: Raw) -> None:
        said = texts(face_parts(view(pins)))
        assert "fixed boxes" in said and "no landmarks" in said and "synthetic images, scale sample" in said

    def test_a_box_lies_where_its_part_was_cut(self, pins: Raw) -> None:
        eyes = face_parts(view(pins)).axes[0].patches[0]
        assert eyes.get_xy() == pytest.approx((0.15 * SIDE - 0.5, 0.28 * SIDE - 0.5))
        assert (eyes.get_width(), eyes.get_height()) == pytest.approx((0.7 * SIDE, 0.22 * SIDE))

    def test_no_test_image_is_one_line(self, pins: Raw) -> None:
        path = paths.prepared("pins") / "arrays.npz"
        arrays = files.read_arrays(path)
        files.write_arrays(path, **arrays | {"split": np.full(len(arrays["split"]), "train")})
        with pytest.raises(CellarError, match=r"^data/prepared/pins has no test image; [^\n]+$"):
            drawing.draw("pins_fig_2", read(pins))


class TestMap:
    def test_each_part_is_twenty_points_in_both_panels(self, pins: Raw) -> None:
        drawn = part_map(view(pins))
        for axes in drawn.axes:
            assert {dots.get_label(): len(dots.get_offsets()) for dots in axes.collections} == {
                "eyes": 20,
                "nose": 20,
                "mouth": 20,
            }
        assert f"{TEACHER}: resnet50_vggface2" in texts(drawn)

    def test_parts_that_lie_apart_stay_apart(self, pins: Raw) -> None:
        """Trained: the nearest neighbour of every point is of its own part. The silhouettes tell the panels apart."""
        trained = part_map(view(pins)).axes[1]
        points = np.concatenate([np.asarray(dots.get_offsets()) for dots in trained.collections])
        gaps = np.linalg.norm(points[:, None] - points[None], axis=2) + np.diag(np.full(60, np.inf))
        assert (gaps.argmin(axis=1) // 20 == np.arange(60) // 20).all()
        titles = [axes.get_title() for axes in part_map(view(pins)).axes]
        shown = [float(title.rpartition(" ")[2]) for title in titles]
        assert abs(shown[0]) < 0.1 and shown[1] > 0.7

    def test_the_same_activations_give_the_same_map(self) -> None:
        activations = np.random.default_rng(3).normal(size=(12, 5)).astype(np.float32)
        assert np.array_equal(embed(activations), embed(activations))

    @pytest.mark.parametrize(
        ("spoil", "said"),
        [
            ({"trained": np.ones((59, 16), np.float32)}, "holds no activations of eyes, nose, mouth"),
            ({"part": np.full(60, "ear")}, "holds no activations of eyes, nose, mouth"),
            ({"trained": np.full((60, 16), np.nan, np.float32)}, "holds activations that are not finite"),
        ],
    )
    def test_other_arrays_are_one_line(self, pins: Raw, spoil: dict[str, np.ndarray], said: str) -> None:
        path = paths.part_activations(TEACHER)
        files.write_arrays(path, **files.read_arrays(path) | spoil)
        with pytest.raises(CellarError, match=f"^{path} {said}[^\n]*$"):
            drawing.draw("pins_fig_3", read(pins))
        assert not picture("pins_fig_3").exists()


class TestPairs:
    def test_the_first_triplet_is_shown_as_two_pairs(self, pins: Raw) -> None:
        drawn = face_pairs(view(pins))
        axes = [one for block in drawn.subfigs for one in block.axes]
        assert [int(np.unique(one.images[0].get_array())[0]) for one in axes] == [40, 60, 40, 45]
        assert [one.get_title() for one in axes] == ["Ada", "Ada", "Ada", "Ben"]
        said = texts(drawn)
        assert "one identity: dissimilarity 0.28" in said and "two identities: dissimilarity 1.31" in said
        assert "told rightly" in said

    def test_a_triplet_told_wrongly_is_shown_too_and_said(self, pins: Raw) -> None:
        write_triplets(1.5, 1.25)
        assert "told wrongly: the other identity is nearer" in texts(face_pairs(view(pins)))

    @pytest.mark.parametrize(
        ("arrays", "said"),
        [
            ({"logits": np.zeros((2, 3))}, "holds no triplets"),
            ({"distances": np.zeros((0, 2)), "index": np.zeros((0, 3), int)}, "holds no triplets"),
            ({"distances": np.zeros((2, 3)), "index": np.zeros((2, 3), int)}, "holds no triplets"),
            ({"distances": np.zeros((1, 2)), "index": np.array([[0, 1, 99]])}, "names images that pins does not have"),
        ],
    )
    def test_other_predictions_are_one_line(self, pins: Raw, arrays: dict[str, np.ndarray], said: str) -> None:
        files.write_arrays(TRIPLETS, **arrays)
        with pytest.raises(CellarError, match=f"^{TRIPLETS} {said}; [^\n]+$"):
            drawing.draw("pins_fig_4", read(pins))


class TestEpochs:
    @pytest.mark.parametrize(
        ("figure", "key", "word"),
        [
            ("pins_fig_8", ONE_SHOT, "share of triplets (%)"),
            ("pins_fig_9", ONE_SHOT, "triplet loss"),
            ("pins_fig_10", KD, "macro F1 (%)"),
        ],
    )
    def test_every_split_is_a_line_and_the_chosen_epoch_is_marked(
        self, pins: Raw, figure: str, key: str, word: str
    ) -> None:
        drawn = draw(figure, read(pins))
        by_label = {line.get_label(): line for line in drawn.axes[0].lines}
        assert list(by_label) == ["train", "validation", "test", "chosen epoch"]
        for n, split in enumerate(("train", "validation", "test")):
            np.testing.assert_array_equal(by_label[split].get_xdata(), EPOCHS)
            np.testing.assert_array_equal(by_label[split].get_ydata(), 10 * (n + 1) * EPOCHS)
        assert list(by_label["chosen epoch"].get_xdata()) == [5, 5]
        assert drawn.axes[0].get_ylabel() == word
        assert f"{key}: " in texts(drawn)

    def test_accuracy_and_loss_are_of_their_own_columns(self, pins: Raw) -> None:
        path = paths.trained("students", f"{KEY}/{ONE_SHOT}", 0) / "history.csv"
        rows = pd.read_csv(path).assign(train_loss=7.0)
        files.write_text(path, rows.to_csv(index=False))
        train = [draw(figure, read(pins)).axes[0].lines[0].get_ydata()[0] for figure in ALL[3:5]]
        assert train == [10, 7]

    def test_what_was_not_watched_has_no_line(self, pins: Raw) -> None:
        write_history(KD, "f1", splits=("validation",))
        path = paths.trained("students", f"{KEY}/{KD}", 0) / "history.csv"
        files.write_text(path, pd.read_csv(path).assign(test_f1=np.nan).to_csv(index=False))
        lines = draw("pins_fig_10", read(pins)).axes[0].lines
        assert [line.get_label() for line in lines] == ["validation", "chosen epoch"]

    def test_a_history_without_the_score_is_one_line(self, pins: Raw) -> None:
        write_history(KD, "loss")
        path = paths.trained("students", f"{KEY}/{KD}", 0) / "history.csv"
        with pytest.raises(CellarError, match=f"^{path} has none of train_f1, validation_f1, test_f1; [^\n]+$"):
            drawing.draw("pins_fig_10", read(pins))
        files.write_text(path, "nothing\n1\n")
        with pytest.raises(CellarError, match=f"^{path} is not a training history; [^\n]+$"):
            drawing.draw("pins_fig_10", read(pins))


def test_photographs_are_not_called_drawn(pins: Raw) -> None:
    pins["scale"] = {"name": "paper", "synthetic": False, "note": "the paper's recipe on its data"}
    said = texts(draw("pins_fig_8", read(pins)))
    assert "(scale paper)" in said and "synthetic" not in said


def test_a_picture_is_a_png_of_a_readable_size(pins: Raw) -> None:
    for figure in ALL:
        drawing.draw(figure, read(pins))
        with Image.open(picture(figure)) as image:
            assert image.format == "PNG" and min(image.size) > 400

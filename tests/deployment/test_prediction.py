"""`cellar predict` on photographs whose faces are known."""

import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from .commands import middle, predict, refused, save
from .conftest import Exported


def test_a_face_is_found_where_it_is(model: str) -> None:
    from .media import FACE

    (row,) = predict(model, save("one.png", (300, 150)))
    assert middle(row) == pytest.approx((300 + FACE[0], 150 + FACE[1]), abs=8)
    assert 70 < float(row["width"]) < 110 and float(row["confidence"]) > 0.8
    probabilities = {name[2:]: float(value) for name, value in row.items() if name.startswith("p_")}
    assert sum(probabilities.values()) == pytest.approx(1, abs=1e-3)
    assert row["predicted"] == max(probabilities, key=lambda name: probabilities[name])
    assert (row["file"], row["time"], row["face"]) == ("one.png", "", "1")


def test_the_student_sees_the_face_and_not_the_picture(model: str, students: dict[str, Exported]) -> None:
    """The same face elsewhere in the picture gets the same probabilities; the crop is square, red first."""
    import cv2

    from cellar.deployment.export.session import Student
    from cellar.deployment.faces.detector import Face, crop

    from .media import photograph

    rows = predict(model, save("left.png", (20, 60)), save("right.png", (340, 100)))
    assert [float(row["p_sad"]) for row in rows] == pytest.approx([float(rows[0]["p_sad"])] * 2, abs=0.03)
    square = crop(photograph(), Face(100, 80, 60, 80, 1.0))
    by_hand = cv2.cvtColor(photograph()[80:160, 90:170], cv2.COLOR_BGR2RGB)
    assert np.array_equal(square, by_hand)
    assert Student(students["grey"].fp32).probabilities(square[None]).shape == (1, 3)


def test_several_faces_are_numbered_from_left_to_right(model: str) -> None:
    rows = predict(model, save("three.png", (700, 40), (10, 10), (350, 200), size=(480, 1000)))
    assert [row["face"] for row in rows] == ["1", "2", "3"]
    assert [round(middle(row)[0], -1) for row in rows] == pytest.approx([140, 480, 830], abs=10)


def test_a_face_at_the_edge_is_found_and_cropped_within_the_picture(model: str) -> None:
    (row,) = predict(model, save("edge.png", (-105, 100)))
    assert float(row["x"]) + float(row["width"]) < 100 and row["predicted"]


def test_a_picture_without_a_face_is_a_row_that_says_so(model: str) -> None:
    (row,) = predict(model, save("empty.png"))
    assert row["face"] == "none" and not row["predicted"] and not row["p_sad"] and not row["confidence"]


def test_a_large_photograph_and_a_thumbnail_give_boxes_in_their_own_pixels(model: str) -> None:
    from .media import FACE, PHOTOGRAPH

    for side in (2048, 64):
        Image.open(PHOTOGRAPH).resize((side, side)).save("sized.png")
        (row,) = predict(model, "sized.png")
        assert middle(row) == pytest.approx([at * side / 256 for at in FACE], abs=side / 20)


def test_a_photograph_lying_on_its_side_is_turned_as_its_exif_says(model: str) -> None:
    from .media import FACE, PHOTOGRAPH

    exif = Image.Exif()
    exif[0x0112] = 6  # turn clockwise to see it upright
    Image.open(PHOTOGRAPH).transpose(Image.Transpose.ROTATE_90).save("lying.jpg", exif=exif)
    (row,) = predict(model, "lying.jpg")
    assert middle(row) == pytest.approx(FACE, abs=8)


def test_a_folder_is_every_picture_in_it(model: str) -> None:
    from .media import PHOTOGRAPH

    Path("in/deep").mkdir(parents=True)
    for name in ("in/b.jpg", "in/deep/c.jpeg", "in/.hidden.jpg"):
        shutil.copy(PHOTOGRAPH, name)
    save("in/a.png")
    Path("in/notes.txt").write_text("not a picture")
    rows = predict(model, "in")
    assert [(row["file"], row["face"]) for row in rows] == [("in/a.png", "none"), ("in/b.jpg", "1"), ("in/deep/c.jpeg", "1")]  # fmt: skip


def test_a_folder_within_is_no_picture_whatever_its_name(model: str) -> None:
    for folder in ("in/x.png", "in/y.mp4", "in/.trash"):
        Path(folder).mkdir(parents=True)
    for name in ("in/x.png/a.png", "in/.trash/b.png"):
        save(name)
    assert [row["file"] for row in predict(model, "in")] == ["in/x.png/a.png"]


def test_a_hidden_folder_that_is_named_is_read(model: str) -> None:
    Path(".mine").mkdir()
    assert len(predict(model, ".mine", save(".mine/a.png"))) == 2


@pytest.mark.parametrize("name", ["none.png", "9", "text.png", "text.xyz", "empty.mp4", "empty_folder", "header.mp4"])
def test_what_is_no_picture_is_one_line_and_leaves_nothing(
    model: str, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    from .media import face_between, write_video

    Path("text.png").write_text("no picture")
    Path("text.xyz").write_text("no picture")
    Path("empty.mp4").touch()
    Path("empty_folder").mkdir()
    content = write_video(Path("video.mp4"), face_between(0, 3), 4).read_bytes()
    Path("header.mp4").write_bytes(content[: content.index(b"mdat") + 4])
    good = save("good.png", (100, 100))
    said = refused(capsys, "predict", model, good, name, "--annotate", "out")
    reasons = {"none.png": "does not exist", "9": "camera 9 is not there", "text.png": "not a readable image", "empty_folder": "no image or video in it"}  # fmt: skip
    assert name in said and reasons.get(name, "neither an image nor a video") in said


def test_a_model_of_another_kind_is_one_line(tmp_path: Path, model: str, capsys: pytest.CaptureFixture[str]) -> None:
    from cellar.deployment.faces.detector import MODEL

    good = save("good.png", (100, 100))
    assert "is no student of Cellar" in refused(capsys, "predict", str(MODEL), good)
    assert "is no ONNX model" in refused(capsys, "predict", good, good)


@pytest.mark.parametrize("change", ["input", "classes"])
def test_a_model_with_the_metadata_of_a_student_is_one_line(
    model: str, change: str, capsys: pytest.CaptureFixture[str]
) -> None:
    import onnx

    foreign = onnx.load(model)
    if change == "input":
        (old,) = foreign.graph.input
        for node in foreign.graph.node:
            node.input[:] = ["pictures" if name == old.name else name for name in node.input]
        old.name = "pictures"
    else:
        (classes,) = (one for one in foreign.metadata_props if one.key == "classes")
        classes.value = '["glad", "sad"]'
    onnx.save(foreign, "foreign.onnx")
    said = refused(capsys, "predict", "foreign.onnx", save("good.png", (100, 100)))
    assert "foreign.onnx is no student of Cellar (from 'images'" in said


def test_an_output_that_cannot_be_written_is_one_line(model: str, capsys: pytest.CaptureFixture[str]) -> None:
    good = save("good.png", (100, 100))
    assert "good.png" in refused(capsys, "predict", model, good, "--output", "good.png/predictions.csv")


def test_the_detectors_file_is_the_published_one() -> None:
    from cellar import files
    from cellar.deployment.faces.detector import MODEL

    digest = "8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4"
    assert files.hash_file(MODEL) == digest and digest in MODEL.with_name("LICENSE.yunet").read_text()


def test_the_same_pictures_give_the_same_bytes(model: str) -> None:
    good = save("good.png", (100, 100))
    predict(model, good)
    first = Path("predictions.csv").read_bytes()
    predict(model, good)
    assert Path("predictions.csv").read_bytes() == first and Counter(first)[ord("\n")] == 2


def test_the_student_that_is_ready_sees_a_smile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = Path(__file__).parents[2]
    monkeypatch.chdir(tmp_path)
    (row,) = predict(str(root / "runs/fer2013-scratch_c.onnx"), str(root / "tests/deployment/astronaut.jpg"))
    assert row["predicted"] == "happy" and float(row["p_happy"]) > 0.9

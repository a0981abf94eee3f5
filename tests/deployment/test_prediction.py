"""`cellar predict` on photographs and video whose faces are known."""

import csv
import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cellar.cli import main

from .conftest import Exported

Rows = list[dict[str, str]]


@pytest.fixture
def model(students: dict[str, Exported], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    return str(students["grey"].fp32)


def predict(model: str, *words: str) -> Rows:
    assert main(["predict", model, *words]) == 0
    with Path("predictions.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def refused(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """The one line of a command that fails; it leaves nothing behind."""
    before = set(Path().rglob("*"))
    assert main(list(words)) == 1
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 1 and set(Path().rglob("*")) == before
    return lines[0]


def middle(row: dict[str, str]) -> tuple[float, float]:
    return float(row["x"]) + float(row["width"]) / 2, float(row["y"]) + float(row["height"]) / 2


def save(name: str, *places: tuple[int, int], size: tuple[int, int] = (480, 640)) -> str:
    import cv2

    from .media import scene

    cv2.imwrite(name, scene(*places, size=size))
    return name


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


def test_the_frames_of_a_video_have_their_times(model: str) -> None:
    from .media import face_between, write_video

    write_video(Path("video.mp4"), face_between(5, 14), 20)
    rows = predict(model, "video.mp4")
    assert [row["face"] for row in rows] == ["none"] * 5 + ["1"] * 10 + ["none"] * 5
    assert [float(row["time"]) for row in rows] == pytest.approx([number / 20 for number in range(20)], abs=2e-3)
    assert [row["frame"] for row in rows] == [str(number) for number in range(20)]


def test_a_camera_gives_its_frames_until_it_stops(model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A video stands in for the camera 0; a real one was not at hand."""
    import cv2

    from .media import face_between, write_video

    video, asked = str(write_video(Path("video.mp4"), face_between(2, 5), 8)), list[object]()

    def opened(source: object) -> object:
        asked.append(source)
        return capture(video)

    capture = cv2.VideoCapture
    monkeypatch.setattr(cv2, "VideoCapture", opened)
    rows = predict(model, "0")
    assert set(asked) == {0}
    assert [row["face"] for row in rows] == ["none"] * 2 + ["1"] * 4 + ["none"] * 2
    assert {row["file"] for row in rows} == {"0"} and float(rows[-1]["time"]) > float(rows[0]["time"])


def test_a_damaged_frame_is_left_out_and_counted(model: str, capsys: pytest.CaptureFixture[str]) -> None:
    from .media import damaged, face_between, write_video

    video = damaged(write_video(Path("video.avi"), face_between(0, 19), 20, "MJPG"), 8)
    rows = predict(model, str(video))
    assert len(rows) == 19 and {row["face"] for row in rows} == {"1"}
    assert [float(row["time"]) for row in rows][8:] == pytest.approx([number / 20 for number in range(9, 20)], abs=2e-3)
    assert "note: damaged_video.avi: 1 of 20 frames cannot be decoded" in capsys.readouterr().err


def test_a_video_cut_short_gives_what_is_there(model: str, capsys: pytest.CaptureFixture[str]) -> None:
    from .media import face_between, write_video

    whole = write_video(Path("video.avi"), face_between(0, 19), 20, "MJPG").read_bytes()
    Path("short.avi").write_bytes(whole[: len(whole) // 2])
    assert 5 < len(predict(model, "short.avi")) < 15
    assert "frames cannot be decoded" in capsys.readouterr().err


def test_a_video_filmed_with_a_turned_camera_is_upright(model: str) -> None:
    from .media import photograph, turned, write_video

    lying = np.rot90(photograph())  # counter-clockwise; the matrix turns it clockwise
    video = turned(write_video(Path("video.mp4"), lambda number: np.ascontiguousarray(lying), 5))
    rows = predict(model, str(video))
    assert [row["face"] for row in rows] == ["1"] * 5
    from .media import FACE

    assert middle(rows[0]) == pytest.approx(FACE, abs=10)


def test_annotated_pictures_show_the_box(model: str) -> None:
    import cv2

    from cellar.deployment.annotation import COLOUR

    from .media import face_between, write_video

    write_video(Path("video.mp4"), face_between(2, 9), 10)
    (one, *_) = predict(model, save("one.png", (300, 150)), "video.mp4", "--annotate", "out")
    picture = cv2.imread("out/one.png")
    left, top = round(float(one["x"])), round(float(one["y"]))
    assert tuple(picture[top + 40, left]) == COLOUR
    assert np.array_equal(picture[:100, :100], cv2.imread("one.png")[:100, :100])
    capture = cv2.VideoCapture("out/video.mp4")
    assert capture.get(cv2.CAP_PROP_FRAME_COUNT) == 10 and capture.get(cv2.CAP_PROP_FPS) == 20
    assert sorted(path.name for path in Path("out").iterdir()) == ["one.png", "video.mp4"]


def test_a_video_of_odd_sides_is_annotated_too(model: str) -> None:
    import cv2

    from .media import jpeg_stream, scene

    jpeg_stream(Path("odd.mjpeg"), scene((40, 20), size=(301, 333)), 6)
    assert cv2.VideoCapture("odd.mjpeg").get(cv2.CAP_PROP_FRAME_WIDTH) == 333
    rows = predict(model, "odd.mjpeg", "--annotate", "out")
    assert [row["face"] for row in rows] == ["1"] * 6
    capture = cv2.VideoCapture("out/odd.mp4")
    assert capture.get(cv2.CAP_PROP_FRAME_COUNT) == 6 and capture.get(cv2.CAP_PROP_FRAME_WIDTH) == 334


def test_pictures_of_one_name_do_not_overwrite_each_other(model: str) -> None:
    for folder in ("a", "b"):
        Path(folder).mkdir()
        save(f"{folder}/same.png", (100, 100))
    predict(model, "a", "b", "--annotate", "out")
    assert sorted(path.name for path in Path("out").iterdir()) == ["same.png", "same_2.png"]


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

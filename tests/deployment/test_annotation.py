"""The pictures with boxes that `cellar predict --annotate` writes."""

import resource
import subprocess
import sys
from pathlib import Path

import numpy as np

from .commands import predict, save


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


def test_the_folder_may_be_the_one_where_the_command_runs(model: str) -> None:
    Path("photos").mkdir()
    predict(model, save("photos/one.png", (100, 100)), "--annotate", ".")
    assert sorted(path.name for path in Path().iterdir()) == ["one.png", "photos", "predictions.csv"]


def test_a_video_that_could_not_be_written_whole_is_no_success(model: str) -> None:
    """A limit on the size of a file stands in for a disk that is full."""
    from .media import write_video

    noise = np.random.default_rng(0).integers(0, 256, (240, 320, 3), np.uint8)
    write_video(Path("video.avi"), lambda number: noise, 20, "MJPG")
    command = [sys.executable, "-m", "cellar", "predict", model, "video.avi", "--annotate", "out"]
    limit = 100_000
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
    )
    assert done.returncode == 1 and "cannot write out/video.mp4; free space" in done.stderr
    assert "Traceback" not in done.stderr
    assert [path.name for path in Path().iterdir()] == ["video.avi"]

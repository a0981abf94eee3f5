"""`cellar predict` on video whose faces are known."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cellar.cli import main

from .commands import middle, predict, refused


def stand_in(monkeypatch: pytest.MonkeyPatch, video: Path) -> list[object]:
    """Let a video be the camera 0, for a real one was not at hand; the list fills with what is opened."""
    import cv2

    asked, capture = list[object](), cv2.VideoCapture

    def opened(source: object) -> object:
        asked.append(source)
        return capture(str(video) if source == 0 else source)

    monkeypatch.setattr(cv2, "VideoCapture", opened)
    return asked


def interrupt_at(frame: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C while faces are looked for in this frame."""
    from cellar.deployment.faces.detector import Detector, Face

    find, left = Detector.find, iter(range(frame))

    def found(detector: Detector, image: np.ndarray) -> list[Face]:
        if next(left, None) is None:
            raise KeyboardInterrupt
        return find(detector, image)

    monkeypatch.setattr(Detector, "find", found)


def test_the_frames_of_a_video_have_their_times(model: str) -> None:
    from .media import face_between, write_video

    write_video(Path("video.mp4"), face_between(5, 14), 20)
    rows = predict(model, "video.mp4")
    assert [row["face"] for row in rows] == ["none"] * 5 + ["1"] * 10 + ["none"] * 5
    assert [float(row["time"]) for row in rows] == pytest.approx([number / 20 for number in range(20)], abs=2e-3)
    assert [row["frame"] for row in rows] == [str(number) for number in range(20)]


def test_a_camera_gives_its_frames_until_it_stops(model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from .media import face_between, write_video

    asked = stand_in(monkeypatch, write_video(Path("video.mp4"), face_between(2, 5), 8))
    rows = predict(model, "0")
    assert set(asked) == {0}
    assert [row["face"] for row in rows] == ["none"] * 2 + ["1"] * 4 + ["none"] * 2
    assert {row["file"] for row in rows} == {"0"} and float(rows[-1]["time"]) > float(rows[0]["time"])


def test_ctrl_c_ends_a_cameras_recording_and_keeps_it(model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It mostly comes while the detector looks at a frame, not while the camera makes one."""
    import cv2

    from .media import face_between, write_video

    video = write_video(Path("video.mp4"), face_between(2, 5), 8)
    interrupt_at(5, monkeypatch)
    stand_in(monkeypatch, video)
    rows = predict(model, "0", "--annotate", "out")
    assert [row["face"] for row in rows] == ["none"] * 2 + ["1"] * 3
    assert cv2.VideoCapture("out/camera0.mp4").get(cv2.CAP_PROP_FRAME_COUNT) == 5


def test_ctrl_c_in_a_file_ends_the_command_and_leaves_nothing(model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from .media import face_between, write_video

    write_video(Path("video.mp4"), face_between(2, 5), 8)
    interrupt_at(5, monkeypatch)
    assert main(["predict", model, "video.mp4", "--annotate", "out"]) == 130
    assert [path.name for path in Path().iterdir()] == ["video.mp4"]


def test_a_damaged_frame_is_left_out_and_counted(model: str, capsys: pytest.CaptureFixture[str]) -> None:
    from .media import damaged, face_between, write_video

    video = damaged(write_video(Path("video.avi"), face_between(0, 19), 20, "MJPG"), 8)
    rows = predict(model, str(video))
    assert len(rows) == 19 and {row["face"] for row in rows} == {"1"}
    assert [float(row["time"]) for row in rows][8:] == pytest.approx([number / 20 for number in range(9, 20)], abs=2e-3)
    assert "note: damaged_video.avi: 1 of 20 frames cannot be decoded" in capsys.readouterr().err


def test_a_video_cut_short_gives_what_is_there(model: str) -> None:
    from .media import face_between, write_video

    whole = write_video(Path("video.avi"), face_between(0, 19), 20, "MJPG").read_bytes()
    Path("short.avi").write_bytes(whole[: len(whole) // 2])
    assert 5 < len(predict(model, "short.avi")) < 15


def test_a_header_that_claims_more_frames_than_are_there_ends_with_them(model: str) -> None:
    from .media import claiming, face_between, write_video

    video = claiming(900_000_000, write_video(Path("video.avi"), face_between(0, 3), 6, "MJPG"))
    assert [row["face"] for row in predict(model, str(video))] == ["1"] * 4 + ["none"] * 2


def test_a_healthy_video_of_variable_rate_gives_no_note(model: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Its frames are not counted in its header, but estimated: duration times rate."""
    import cv2

    from .media import face_between, lasting_longer, write_video

    video = lasting_longer(write_video(Path("video.mkv"), face_between(0, 3), 6))
    assert cv2.VideoCapture(str(video)).get(cv2.CAP_PROP_FRAME_COUNT) == 12
    assert len(predict(model, str(video))) == 6 and not capsys.readouterr().err


def test_a_picture_far_too_large_does_not_pass_as_a_video(model: str, capsys: pytest.CaptureFixture[str]) -> None:
    from .media import huge_gif

    said = refused(capsys, "predict", model, str(huge_gif(Path("huge.gif"), 8000)))
    assert "huge.gif has frames of 8000x8000 pixels; the limit is 50,000,000" in said


def test_frames_that_are_larger_than_the_header_says_are_refused(
    model: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from cellar.deployment import frames

    from .media import face_between, write_video

    class Growing:
        def __init__(self, capture: Any) -> None:
            self.capture = capture

        def __getattr__(self, name: str) -> Any:
            return getattr(self.capture, name)

        def read(self) -> tuple[bool, np.ndarray]:
            return True, np.zeros((8000, 8000, 3), np.uint8)

    opened = frames.opened
    monkeypatch.setattr(frames, "opened", lambda source: Growing(opened(source)))
    write_video(Path("video.mp4"), face_between(0, 3), 4)
    assert "video.mp4 has frames of 8000x8000 pixels" in refused(capsys, "predict", model, "video.mp4")


def test_a_video_filmed_with_a_turned_camera_is_upright(model: str) -> None:
    from .media import photograph, turned, write_video

    lying = np.rot90(photograph())  # counter-clockwise; the matrix turns it clockwise
    video = turned(write_video(Path("video.mp4"), lambda number: np.ascontiguousarray(lying), 5))
    rows = predict(model, str(video))
    assert [row["face"] for row in rows] == ["1"] * 5
    from .media import FACE

    assert middle(rows[0]) == pytest.approx(FACE, abs=10)

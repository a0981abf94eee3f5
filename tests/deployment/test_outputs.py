"""Where `cellar predict` and `cellar timeline` may write: never over what they read, and known before they read."""

import shutil
from pathlib import Path

import pytest

from .commands import refused, save


@pytest.fixture(autouse=True)
def nothing_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Inputs may be hours of video: what is wrong with an output is said before the first frame."""
    from cellar.deployment.frames import Source

    monkeypatch.setattr(Source, "read", lambda source: pytest.fail(f"{source.name} is read"))


def contents() -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in Path().rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    ("words", "named"),
    [
        ("photos --annotate photos", "photos/one.png"),
        ("photos/one.png --annotate photos/../photos", "photos/../photos/one.png"),
        ("linked --annotate photos", "photos/one.png"),
        ("photos videos/test.mp4 --annotate videos", "videos/test.mp4"),
        ("photos/one.png --output photos/one.png", "photos/one.png"),
        ("photos --output out/one.png --annotate out", "out/one.png"),
        ("photos --output student.onnx", "student.onnx"),
    ],
)
def test_no_picture_is_replaced_by_a_result(
    model: str, words: str, named: str, capsys: pytest.CaptureFixture[str]
) -> None:
    from .media import face_between, write_video

    for folder in ("photos", "videos", "linked"):
        Path(folder).mkdir()
    save("photos/one.png", (100, 100))
    Path("linked/one.png").symlink_to("../photos/one.png")
    write_video(Path("videos/test.mp4"), face_between(0, 3), 4)
    shutil.copy(model, "student.onnx")
    before = contents()
    said = refused(capsys, "predict", "student.onnx", *words.split())
    assert f"{named} would replace what this command reads" in said and contents() == before


@pytest.mark.parametrize(
    ("output", "named"),
    [("session.html", "session.csv"), ("session.mp4", "session.mp4"), ("page.csv", "page.csv")],
)
def test_no_recording_and_no_events_are_replaced_by_a_page(
    model: str, output: str, named: str, capsys: pytest.CaptureFixture[str]
) -> None:
    from .media import face_between, write_video

    write_video(Path("session.mp4"), face_between(0, 3), 4)
    Path("session.csv").write_text("start,name\n0.1,First\n")
    before = contents()
    words = ["session.mp4", "--model", model, "--events", "session.csv", "--output", output]
    said = refused(capsys, "timeline", *words)
    assert f"{named} would replace what this command reads, or writes besides" in said and contents() == before


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("--output", "."), ". is a folder"),
        (("--output", ""), ". is a folder"),
        (("--output", "/"), "/ is a folder"),
        (("--annotate", "file"), "file/one.png cannot be written"),
        (("--annotate", "file/out"), "file/out/one.png cannot be written"),
        (("--annotate", "."), "one.png would replace"),
    ],
)
def test_an_output_that_cannot_be_is_said_at_once(
    model: str, words: tuple[str, str], reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("file").touch()
    assert reason in refused(capsys, "predict", model, save("one.png", (100, 100)), *words)


@pytest.mark.parametrize(("output", "reason"), [(".", ". is a folder"), ("file/page.html", "cannot be written")])
def test_a_page_that_cannot_be_is_said_at_once(
    model: str, output: str, reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("file").touch()
    assert reason in refused(capsys, "timeline", "test.mp4", "--model", model, "--output", output)

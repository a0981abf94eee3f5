"""The page of a video whose faces are known."""

import base64
import csv
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from cellar.cli import main


def test_the_page_of_a_video_with_tasks_and_annotations(model: str) -> None:
    from .media import face_between, write_video

    write_video(Path("test.mp4"), face_between(10, 39), 60)  # 3 s at 20 frames a second, a face from 0.5 to 2 s
    Path("events.csv").write_text("start,name,end,class\n0,<b>First & last</b>,1,\n1.5,Failed,,sad\n")
    words = ["timeline", "test.mp4", "--model", model, "--events", "events.csv", "--output", "out/page.html"]
    assert main(words) == 0
    page = Path("out/page.html").read_text()
    assert "a face in 50 % of them" in page and "&lt;b&gt;First &amp; last&lt;/b&gt;" in page
    assert "0:03.0" in page and "of 1 annotated moments" in page and "What this page can and cannot show" in page
    with Path("out/page.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [bool(row["p_sad"]) for row in rows] == [False] * 10 + [True] * 30 + [False] * 20
    assert [float(row["time"]) for row in rows] == pytest.approx([number / 20 for number in range(60)], abs=2e-3)
    encoded = re.search(r'href="data:text/csv;base64,([^"]+)"', page)
    assert encoded and base64.b64decode(encoded.group(1)) == Path("out/page.csv").read_bytes()


def test_the_page_of_a_single_frame(model: str) -> None:
    from .media import face_between, write_video

    write_video(Path("one.mp4"), face_between(0, 0), 1)
    Path("events.csv").write_text("start,name,end\n0,First,\n0,Task,5\n")
    assert main(["timeline", "one.mp4", "--model", model, "--events", "events.csv"]) == 0
    page = Path("one.timeline.html").read_text()
    assert "a face in 100 % of them" in page and 'class="smooth" d="M0.0 ' in page


def test_the_frame_at_a_peak_is_that_of_its_time(model: str) -> None:
    import cv2

    from .media import scene, write_video

    def numbered(number: int) -> np.ndarray:
        picture = scene((200, 100))
        picture[:40, : 8 * number] = 255  # how far the white bar reaches is the number of the frame
        return picture

    write_video(Path("test.avi"), numbered, 60, "MJPG")
    assert main(["timeline", "test.avi", "--model", model]) == 0
    page = Path("test.timeline.html").read_text()
    found = re.search(r'base64,([^"]+)" alt="frame at 0:0([0-9.]+)"', page)
    assert found is not None
    content = np.frombuffer(base64.b64decode(found.group(1)), np.uint8)
    picture = cv2.imdecode(content, cv2.IMREAD_GRAYSCALE)
    bar = (picture[8] > 200).sum() / 320 * 640 / 8
    assert bar == pytest.approx(float(found.group(2)) * 20, abs=1.5)


def test_the_page_loads_nothing_and_runs_nothing(model: str) -> None:
    from .media import face_between, write_video

    write_video(Path("test.mp4"), face_between(0, 29), 30)
    assert main(["timeline", "test.mp4", "--model", model]) == 0
    page = Path("test.timeline.html").read_text()
    assert "default-src 'none'" in page and "<script" not in page
    sources = re.findall(r'(?:src|href)="([^"]{0,20})', page)
    assert sources and all(source.startswith("data:") for source in sources)
    assert not re.findall(r"url\(|@import|https?://", page)


def test_the_page_fits_a_phone(model: str, tmp_path: Path) -> None:
    """Nothing is wider than the window: a browser says so in the page's own title."""
    browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if browser is None:
        pytest.skip("no chromium or google-chrome is here")
    from .media import face_between, write_video

    write_video(Path("test.mp4"), face_between(0, 29), 30)
    Path("events.csv").write_text(f"start,name,end\n0.1,{'A very long task ' * 4},0.8\n1.4,Last,\n")
    assert main(["timeline", "test.mp4", "--model", model, "--events", "events.csv"]) == 0
    page = Path("test.timeline.html").read_text().replace("style-src", "script-src 'unsafe-inline'; style-src")
    asks = "<script>document.title = `width ${document.documentElement.scrollWidth} of ${innerWidth}`</script></body>"
    Path("asked.html").write_text(page.replace("</body>", asks))
    for width in (500, 1280):  # a window of Chromium is no narrower than 500
        options = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--dump-dom"]
        place = [f"--user-data-dir={tmp_path}/profile", f"--window-size={width},900", f"file://{tmp_path}/asked.html"]
        done = subprocess.run([browser, *options, *place], capture_output=True, text=True, timeout=120, check=True)
        found = re.search(r"<title>width (\d+) of (\d+)</title>", done.stdout)
        assert found and int(found.group(1)) <= int(found.group(2))


@pytest.mark.parametrize("name", ["photo.jpg", "none.mp4", "faceless.mp4", "events"])
def test_what_gives_no_timeline_is_one_line(model: str, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    from .media import PHOTOGRAPH, face_between, write_video

    shutil.copy(PHOTOGRAPH, "photo.jpg")
    write_video(Path("faceless.mp4"), face_between(99, 99), 5)
    write_video(Path("test.mp4"), face_between(0, 9), 10)
    Path("events.csv").write_text("begin,name\n1,a\n")
    before = set(Path().rglob("*"))
    words = ["test.mp4", "--events", "events.csv"] if name == "events" else [name]
    assert main(["timeline", *words, "--model", model]) == 1
    (line,) = capsys.readouterr().err.strip().splitlines()
    reasons = {"photo.jpg": "is not one video", "none.mp4": "does not exist", "faceless.mp4": "no face in any of its 5 frames", "events": "has a column 'begin'"}  # fmt: skip
    assert reasons[name] in line and set(Path().rglob("*")) == before

"""The page in headless Chromium, where one is installed: cells open, and nothing is wider than a phone.

A copy of the page gets a script that does what a reader would and tells the page around it what it saw.
"""

import html
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from cellar import paths

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
BROWSER = next(filter(None, map(shutil.which, BROWSERS)), "")
pytestmark = pytest.mark.skipif(not BROWSER, reason=f"no browser is installed ({', '.join(BROWSERS)})")

WIDTHS = """
const root = document.documentElement;
for (const folded of document.querySelectorAll("details")) folded.open = true;
seen = {width: innerWidth, room: root.clientWidth, page: root.scrollWidth};
"""
CLICK = """
document.getElementById("table_vi.E1.fer2013_accuracy").click();
const panel = document.getElementById("panel");
const chain = [...panel.querySelectorAll(".stage summary")].map((one) => one.firstChild.textContent.trim());
seen = {open: panel.open, value: panel.querySelector(".value").textContent, chain, loaded: performance.getEntriesByType("resource").map((one) => one.name).filter((one) => !one.startsWith("data:"))};
panel.querySelector("button").click();
seen.closed = !panel.open;
"""
PANEL = """
seen = {open: document.getElementById("panel").open, title: document.querySelector("#panel h2").textContent};
"""


def seen(folder: Path, tmp_path: Path, script: str, width: int, place: str = "") -> dict[str, Any]:
    """What `script` puts into `seen` when it is run in the page, in a frame of `width` pixels: windows have a least one."""
    tried = f"let seen; try {{ {script} }} catch (error) {{ seen = {{error: String(error)}} }}"
    probe = f"<script>{{ {tried}; parent.postMessage(JSON.stringify(seen), '*') }}</script></body>"
    (tmp_path / "page.html").write_text((folder / paths.REPORT).read_text().replace("</body>", probe))
    frame = f'<iframe src="page.html{place}" style="width:{width}px;height:900px;border:0"></iframe>'
    listen = "<script>onmessage = (event) => { document.title = event.data }</script>"
    (tmp_path / "frame.html").write_text(f"<!doctype html><title></title>{listen}{frame}")
    flags = ["--headless=new", "--no-sandbox", "--disable-gpu", "--window-size=1400,1000", "--dump-dom"]
    command = [BROWSER, *flags, f"--user-data-dir={tmp_path / 'profile'}", "--virtual-time-budget=2000"]
    address = (tmp_path / "frame.html").as_uri()
    done = subprocess.run([*command, address], capture_output=True, text=True, timeout=120, check=True)
    title = re.search(r"<title>(.*?)</title>", done.stdout, re.DOTALL)
    assert title and title[1], done.stderr[-2000:]
    found: dict[str, Any] = json.loads(html.unescape(title[1]))
    assert "error" not in found
    return found


def test_no_wider_than_a_phone(folder: Path, tmp_path: Path) -> None:
    found = seen(folder, tmp_path, WIDTHS, 390)
    assert found["width"] == 390
    assert found["page"] == found["room"]  # the window less its scroll bar


def test_a_cell_opens_its_chain(folder: Path, tmp_path: Path) -> None:
    found = seen(folder, tmp_path, CLICK, 1280)
    assert found["open"] and found["closed"] and found["loaded"] == []
    assert re.fullmatch(r"\d+\.\d\d", found["value"])
    assert found["chain"][0] == "studies/mini_resemotenet/results/dvc.yaml:evaluate_student-fer2013-E1-seed-0"
    assert {"prepare-fer2013", "train_teacher-fer2013-seed-0"} <= set(found["chain"])


def test_an_address_of_a_cell_opens_it(folder: Path, tmp_path: Path) -> None:
    found = seen(folder, tmp_path, PANEL, 1280, "#custom_own.r.accuracy")
    assert found["open"] and "<script>" in found["title"]

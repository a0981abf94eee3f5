"""The comparison in headless Chromium, where one is installed: heads sort, by mouse and keys; numbers open their chains."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from cellar import config, paths, report
from cellar.config.composed import use
from cellar.tables import render
from cellar.tables.cells import NOT_RUN, Cell, Column, Row, Table
from tests.conftest import ROOT
from tests.report.test_in_a_browser import BROWSER, seen

pytestmark = pytest.mark.skipif(not BROWSER, reason="no browser is installed")

KEY = "kd_methods"
FIRST, SECOND = "resnet32x4-cnn4", "resnet32x4-resnet8x4"
GAINS = {"kd": (1.5, [0.5, 2.5]), "at": None, "sp": (-10.0, [-12.0, -8.0]), "dist": (9.0, [-1.0, 19.0])}
SORT = """
const table = document.querySelector("table.sortable");
const heads = [...table.querySelectorAll("thead th")];
const state = () => ({order: [...table.tBodies[0].rows].map((row) => row.cells[0].textContent), sorts: heads.map((head) => head.getAttribute("aria-sort"))});
seen = [state()];
for (const column of [1, 1, 1, 2, 0]) { heads[column].querySelector("button").click(); seen.push(state()); }
const button = heads[1].querySelector("button");
button.focus();
seen = {states: seen, focused: document.activeElement === button && button.tabIndex === 0};
"""
WIDTHS = """
const root = document.documentElement, table = document.querySelector("table.sortable");
const scroll = table.closest(".scroll"); scroll.scrollLeft = 60;
const head = table.tBodies[0].rows[0].cells[0], box = head.getBoundingClientRect();
head.scrollIntoView({block: "center", behavior: "instant"});
const now = head.getBoundingClientRect();
const top = document.elementFromPoint(now.right - 2, now.top + now.height / 2);
seen = {page: root.scrollWidth, room: root.clientWidth, scrolled: scroll.scrollLeft, top: head.contains(top)};
"""
OPEN = """
document.querySelector('.side a.cell[href$=".kd.gain"]').click();
seen = {open: document.getElementById("panel").open, value: document.querySelector("#panel .value").textContent, hash: decodeURIComponent(location.hash)};
"""
DRAWN = """
const place = (one) => one.getBoundingClientRect();
const rows = [...document.querySelector("table.sortable").tBodies[0].rows].map((row) => row.cells[1].querySelector("svg"));
const middle = (one) => (place(one).left + place(one).right) / 2;
seen = {zeros: rows.map((svg) => middle(svg.querySelector(".zero"))), dots: rows.map((svg) => svg.querySelector("circle")).map((dot) => dot && middle(dot)), inside: rows.every((svg) => place(svg).right <= place(svg.closest("td")).right)};
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page of two pairs, the second the first with other signs."""
    made = tmp_path_factory.mktemp("compared") / "project"
    shutil.copytree(ROOT / "studies", made / "studies", ignore=shutil.ignore_patterns("__pycache__"))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(made)
        shutil.copytree(ROOT / "src", "src", ignore=shutil.ignore_patterns("__pycache__"))
        use([f"{KEY}/cpu"])
        scale = config.load().scale.model_dump(mode="json")
        for name, sign in ((FIRST, 1), (SECOND, -1)):
            render.write(table(name, sign, scale), paths.TABLES)
        report.write()
    return made


def table(name: str, sign: int, scale: dict[str, Any]) -> Table:
    columns = [Column("gain", "gain (points)", "points"), Column("over_kd", "over KD (points)", "points")]
    columns += [Column("validation", "validation (%)", "%"), Column("last_epoch", "last epoch (%)", "%")]
    rows = []
    for method, found in GAINS.items():
        interval = sorted(sign * bound for bound in found[1]) if found else None
        gain = Cell("derived", sign * found[0], "points", interval=interval) if found else NOT_RUN
        rows.append(
            Row(method, method, {"gain": gain} | dict.fromkeys(("over_kd", "validation", "last_epoch"), NOT_RUN))
        )
    return Table(f"{KEY}/{name}", f"Methods: {name}", KEY, scale, [], columns, rows)


def test_heads_sort_one_way_the_other_way_and_not(folder: Path, tmp_path: Path) -> None:
    found = seen(folder, tmp_path, SORT, 1280)
    assert found["focused"]
    orders, sorts = ([state[key] for state in found["states"]] for key in ("order", "sorts"))
    assert orders == [
        ["kd", "at", "sp", "dist"],
        ["dist", "kd", "sp", "at"],  # as numbers, and what was not run last
        ["sp", "kd", "dist", "at"],
        ["kd", "at", "sp", "dist"],
        ["sp", "kd", "dist", "at"],
        ["at", "dist", "kd", "sp"],
    ]
    none = None
    assert sorts == [
        [none, none, none], [none, "descending", none], [none, "ascending", none], [none, none, none],
        [none, none, "descending"], ["ascending", none, none],
    ]  # fmt: skip


def test_dots_stand_on_their_side_of_one_zero_line(folder: Path, tmp_path: Path) -> None:
    found = seen(folder, tmp_path, DRAWN, 1280)
    assert len(set(found["zeros"])) == 1 and found["inside"]
    zero, (kd, at, sp, dist) = found["zeros"][0], found["dots"]
    assert sp < zero < kd < dist and at is None
    assert (zero - sp) / (dist - zero) == pytest.approx(10 / 9, rel=0.03)


def test_a_number_opens_its_chain(folder: Path, tmp_path: Path) -> None:
    found = seen(folder, tmp_path, OPEN, 1280)
    assert found == {"open": True, "value": "+1.50", "hash": f"#{KEY}/{FIRST}.kd.gain"}


def test_on_a_phone_names_stay_and_the_page_is_not_wider(folder: Path, tmp_path: Path) -> None:
    found = seen(folder, tmp_path, WIDTHS, 390)
    assert found["page"] == found["room"] and found["scrolled"] == 60 and found["top"]

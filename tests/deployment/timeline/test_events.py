"""EVENTS.csv, well and badly written."""

from pathlib import Path

import pytest

from cellar.deployment.timeline import events
from cellar.deployment.timeline.events import Event
from cellar.errors import CellarError

CLASSES = ("glad", "sad", "none of these")


def test_events_are_read_in_the_order_of_time(tmp_path: Path) -> None:
    path = tmp_path / "events.csv"
    path.write_text('\ufeffname,start,end,class\n"Pay, at last",1:02.5,1:10,\nFailed,3,,sad\n', encoding="utf-8")
    assert events.read(path, CLASSES) == [Event(3, "Failed", None, "sad"), Event(62.5, "Pay, at last", 70, "")]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("begin,name\n1,a\n", "has a column 'begin'; the columns are start, name and, if wanted, end, class"),
        ("start,nam\n1,a\n", r"has a column 'nam' \(did you mean 'name'\?\)"),
        ("start\n1\n", "has no column 'name'"),
        ("", "has no column 'start'"),
        ("start,name\nsoon,a\n", "line 2: 'soon' is no time; write seconds, 1:02.5 or 1:00:02"),
        ("start,name\n\n\nsoon,a\n", "line 4: 'soon' is no time"),
        ("start,name\n-1,a\n", "is no time"),
        ("start,name\nnan,a\n", "is no time"),
        ("start,name\n1, \n", "line 2 has no name"),
        ("start,name\n1,a,b\n", "line 2 has another number of fields"),
        ("start,name,end\n5,a,4\n", "line 2 ends before it starts"),
        ("start,name,class\n5,a,gald\n", r"knows no class 'gald' \(did you mean 'glad'\?\); it knows glad, sad, none of these"),
    ],
)  # fmt: skip
def test_a_wrong_events_file_is_one_line(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "events.csv"
    path.write_text(text)
    with pytest.raises(CellarError, match=said) as error:
        events.read(path, CLASSES)
    assert "events.csv" in str(error.value) and "\n" not in str(error.value)

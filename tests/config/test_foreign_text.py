"""params.yaml as other editors and systems save it: read where its text is plain, else refused in one line that says why."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from cellar import config
from cellar.errors import CellarError

SCALE = "scale: {name: café, synthetic: true}\nthreads: 1\n"


def refused(data: bytes, folder: Path) -> str:
    path = folder / "params.yaml"
    path.write_bytes(data)
    with pytest.raises(CellarError) as error:
        config.load(path)
    assert "\n" not in str(error.value)
    return str(error.value).removeprefix(f"{path}: ")


@pytest.mark.parametrize("codec", ["utf-8-sig", "utf-8"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_a_byte_order_mark_and_the_lines_of_windows_are_taken(
    raw: dict[str, Any], tmp_path: Path, codec: str, newline: str
) -> None:
    path = tmp_path / "params.yaml"
    raw["scale"]["note"] = "café"
    text = yaml.safe_dump(raw, sort_keys=False, allow_unicode=True)
    path.write_bytes(text.replace("\n", newline).encode(codec))
    assert config.load(path).scale.note == "café"


@pytest.mark.parametrize("codec", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_another_encoding_is_named(tmp_path: Path, codec: str) -> None:
    name = "UTF-32" if codec == "utf-32" else "UTF-16"
    assert refused(SCALE.encode(codec), tmp_path) == f"it is {name} text; save it as UTF-8"


def test_latin_1_is_refused_with_its_line(tmp_path: Path) -> None:
    assert refused(b"threads: 1\n" + SCALE.encode("latin-1"), tmp_path) == (
        "line 2 is not UTF-8 text; save the file as UTF-8"
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "the file is empty; compose it: cellar use sample"),
        ("# a comment\n", "the file is empty; compose it: cellar use sample"),
        ("a: 1\n<<<<<<< HEAD\n", "line 2 is of a merge that is not finished; keep one side, see: git status"),
        ("a: 1\n=======\nb: 2\n", "line 2 is of a merge that is not finished; keep one side, see: git status"),
        ("a: 1\nb: \x01\n", "line 2 has a control character, 0x1; take it out"),
        ("a:\n\tb: 1\n", "line 2 is not YAML: found character '\\t' that cannot start any token; correct that line"),
        ("a: 1\na: 2\n", "line 2 is not YAML: 'a' is given twice; correct that line"),
        ("? {b: 1}\n: 2\n", "line 1 is not YAML: a key is plain text; correct that line"),
        ("- a\n", "the file: 'a list', but keys and values are expected here; mend it"),
    ],
)
def test_what_is_no_yaml_is_one_line(tmp_path: Path, text: str, said: str) -> None:
    assert refused(text.encode(), tmp_path) == said


def test_a_date_that_no_calendar_has_is_one_line(tmp_path: Path) -> None:
    assert "month must be in 1..12" in refused(b"a: 2020-13-45\n", tmp_path)


def test_a_folder_in_its_place_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "params.yaml").mkdir()
    with pytest.raises(CellarError, match=r"params\.yaml cannot be read \(Is a directory\); mend that"):
        config.load(tmp_path / "params.yaml")

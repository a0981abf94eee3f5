"""Names and paths in params.yaml that would not survive as parts of files' names: refused where they are written."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from cellar import config
from cellar.errors import CellarError

RULE = "it has at most 100 of the characters A-Z a-z 0-9 _ - . and begins with a letter or digit; rename it"


def refused(raw: dict[str, Any], folder: Path) -> str:
    path = folder / "params.yaml"
    path.write_text(yaml.safe_dump(raw, sort_keys=False, allow_unicode=True), encoding="utf-8")
    with pytest.raises(CellarError) as error:
        config.load(path)
    return str(error.value).removeprefix(f"{path}: ")


@pytest.mark.parametrize("name", ["a b", "a/b", "a{b", "{item}", "é", "-a", ".a", "a:b", "a" * 101])
def test_a_key_that_is_no_name_is_refused_with_the_rule(raw: dict[str, Any], tmp_path: Path, name: str) -> None:
    raw["datasets"][name] = raw["datasets"]["fer2013"]
    assert refused(raw, tmp_path) == f"datasets.{name}: {name[:80]!r} is no name: {RULE}"


@pytest.mark.parametrize("section", ["teachers", "experiments", "recipes"])
def test_so_is_one_of_a_study(raw: dict[str, Any], tmp_path: Path, section: str) -> None:
    entries = raw["studies"]["mini_resemotenet"][section]
    entries["a b"] = next(iter(entries.values()))
    assert refused(raw, tmp_path) == f"studies.mini_resemotenet.{section}.a b: 'a b' is no name: {RULE}"


def test_a_dot_is_part_of_a_name(raw: dict[str, Any], tmp_path: Path) -> None:
    raw["datasets"]["v1.2"] = raw["datasets"]["fer2013"] | {"path": "data/raw/v", "source": {"manual": "mine"}}
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(raw))
    assert config.load(tmp_path / "params.yaml").dataset("v1.2").path == "data/raw/v"


@pytest.mark.parametrize(("name", "read"), [(12, "12"), (None, "None"), (True, "True"), (1.5, "1.5")])
def test_a_name_that_yaml_reads_as_something_else_belongs_in_quotes(
    raw: dict[str, Any], tmp_path: Path, name: object, read: str
) -> None:
    raw["datasets"][name] = raw["datasets"]["fer2013"]
    said = refused(raw, tmp_path)
    assert said.startswith("datasets.")
    assert f": YAML reads this name as {read}, which is no text; put it in quotes" in said


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("~/x", "~ and $ are not expanded here: write /home/anna/x"),
        ("$HOME/x", "~ and $ are not expanded here: write /home/anna/x"),
        ("${HOME}/x", "~ and $ are not expanded here: write /home/anna/x"),
        ("$NOT_SET/x", "~ and $ are not expanded here: write the path in full"),
        ("~nobody_of_that_name/x", "~ and $ are not expanded here: write the path in full"),
        ("data\\raw\\x", "folders are parted by / here: write data/raw/x"),
        ("https://host/x", "an address is no path: download it, and write where the file or folder is"),
        ("data/{x}", "{ and } mark wildcards to Snakemake: rename the file or folder, and write its new name"),
        (" data/x", "a path is neither empty nor begins or ends with a blank, nor has control characters: mend it"),
        ("", "a path is neither empty nor begins or ends with a blank, nor has control characters: mend it"),
    ],
)
def test_a_path_is_taken_as_it_is_written(
    raw: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str, said: str
) -> None:
    monkeypatch.setenv("HOME", "/home/anna")
    monkeypatch.delenv("NOT_SET", raising=False)
    raw["datasets"]["fer2013"] |= {"path": path, "source": {"manual": "mine"}}
    assert refused(raw, tmp_path) == f"datasets.fer2013.path: {said} (found {path!r})"


def test_so_is_one_of_weights(raw: dict[str, Any], tmp_path: Path) -> None:
    raw["studies"]["mini_resemotenet"]["teachers"]["fer2013"]["weights"] = "~/w.pt"
    said = refused(raw, tmp_path)
    assert said.startswith("studies.mini_resemotenet.teachers.fer2013.weights: ~ and $ are not expanded here: write /")

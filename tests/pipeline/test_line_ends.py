"""A checkout with Windows' line ends, as git makes one where core.autocrlf is true."""

import shutil
import subprocess
from pathlib import Path

import pytest

from cellar.errors import CellarError
from cellar.pipeline import line_ends

ROOT = Path(__file__).parents[2]
FILES = {
    "src/code.py": "x = 1\ny = 2\n",
    "params.yaml": "a: 1\nb: 2\n",
    "src/own.py": "x = 1\r\ny = 2\r\n",
}  # the last by choice


def git(*arguments: str) -> str:
    identity = ("-c", "user.name=t", "-c", "user.email=t@example.org")
    return subprocess.run(["git", *identity, *arguments], check=True, capture_output=True, text=True).stdout


def clone_on_windows(origin: Path, monkeypatch: pytest.MonkeyPatch, attributes: str) -> None:
    """A clone with core.autocrlf, of a repository that has `attributes`; it is the current folder then."""
    origin.mkdir()
    monkeypatch.chdir(origin)
    Path("src").mkdir()
    for name, text in FILES.items():
        Path(name).write_bytes(text.encode())
    Path("image.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    git("init", "--quiet")
    git("add", ".")
    git("commit", "--quiet", "-m", "without attributes")
    Path(".gitattributes").write_text(attributes)
    git("add", ".gitattributes")
    git("commit", "--quiet", "-m", "attributes")
    git("clone", "--quiet", "--config", "core.autocrlf=true", str(origin), "../clone")
    monkeypatch.chdir(origin.parent / "clone")


def test_converted_files_are_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clone_on_windows(tmp_path / "origin", monkeypatch, "")
    assert b"\r\n" in Path("params.yaml").read_bytes()
    with pytest.raises(CellarError, match=r"params.yaml and 1 more: line ends of Windows .*git reset"):
        line_ends.check()


def test_our_attributes_keep_the_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clone_on_windows(tmp_path / "origin", monkeypatch, (ROOT / ".gitattributes").read_text())
    assert Path("params.yaml").read_bytes() == FILES["params.yaml"].encode()
    assert Path("image.png").read_bytes() == b"\x89PNG\r\n\x1a\n"
    line_ends.check()


def test_the_remedy_mends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clone_on_windows(tmp_path / "origin", monkeypatch, "")
    shutil.copy(ROOT / ".gitattributes", ".gitattributes")
    git("add", ".gitattributes")
    git("commit", "--quiet", "-m", "attributes, pulled")
    subprocess.run(line_ends.REMEDY.partition("then: ")[2], shell=True, check=True)
    line_ends.check()
    assert Path("params.yaml").read_bytes() == FILES["params.yaml"].encode()


def test_without_git_nothing_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("params.yaml").write_bytes(b"a: 1\r\n")
    assert line_ends.converted() == []

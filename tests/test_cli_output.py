"""The command's output where it cannot be written: a reader that went away is no error, a full disk is one line."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from cellar import cli
from cellar.errors import CellarError

ROOT = Path(__file__).parents[1]
PRINTING = "import sys; from cellar import cli; cli.dispatch = lambda a: print('line\\n' * {lines}) or 0; sys.exit(cli.main(['findings']))"


def run(lines: int, redirection: str) -> "subprocess.CompletedProcess[str]":
    """A command that prints; 3 lines stay in Python's buffer until it ends, 99,999 do not."""
    command = f'set -o pipefail; "$PYTHON" -c "$CODE" {redirection}'
    environment = {"PYTHON": sys.executable, "CODE": PRINTING.format(lines=lines), "PYTHONPATH": str(ROOT / "src")}
    return subprocess.run(
        ["bash", "-c", command], env=os.environ | environment, capture_output=True, text=True, check=False
    )


def test_a_reader_that_goes_away_ends_it_quietly() -> None:
    done = run(99_999, "| head -1")
    assert (done.stdout, done.stderr, done.returncode) == ("line\n", "", 141)


@pytest.mark.parametrize("lines", [3, 99_999])
def test_a_full_disk_is_one_line(lines: int) -> None:
    done = run(lines, "> /dev/full")
    assert done.returncode == 1 and len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith("cellar: ") and "output" in done.stderr and "No space left on device" in done.stderr


def test_a_closed_output_is_no_error() -> None:
    assert run(3, ">&-").returncode == 0


def test_a_name_with_control_characters_breaks_no_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """macOS keeps a folder's own picture in `Icon` and a carriage return, which would move the cursor to the line's start."""

    def refuse(arguments: object) -> int:
        raise CellarError("a/Icon\r is no image, nor is b\n\x1b[2J; take out é and 日本")

    monkeypatch.setattr(cli, "dispatch", refuse)
    assert cli.main(["findings"]) == 1
    assert capsys.readouterr().err == "cellar: a/Icon\\r is no image, nor is b\\n\\x1b[2J; take out é and 日本\n"


def test_ctrl_c_is_one_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupted(arguments: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "dispatch", interrupted)
    assert cli.main(["findings"]) == 130
    assert capsys.readouterr().err.startswith("cellar: interrupted")

"""The command's output where it cannot be written: a reader that went away is no error, a full disk is one line."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from cellar import cli
from cellar.errors import CellarError
from cellar.pipeline.plan import KINDS

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


RESUMED, LOWER = "the same command goes on from the last checkpoint", "lower batch_size in params.yaml, or free memory"
STOPPED = {  # command -> what goes on after Ctrl-C, what to do where memory ran out
    "train_generator": (RESUMED, LOWER),
    "distill_student": (RESUMED, LOWER),
    "evaluate_student": ("run the same command again", LOWER),
    "tabulate": ("run the same command again", "free memory"),
    "predict student.onnx photo.jpg": ("run the same command again", "free memory"),
}


@pytest.mark.parametrize("command", STOPPED)
def test_a_line_for_ctrl_c_and_one_for_no_memory_that_are_true_of_the_command(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stop(arguments: object) -> int:
        vars(arguments).pop("command")  # as the real one does
        raise error

    monkeypatch.setattr(cli, "dispatch", stop)
    go_on, mend = STOPPED[command]
    error: BaseException = KeyboardInterrupt()
    assert cli.main(command.split()) == 130
    assert capsys.readouterr().err == f"cellar: interrupted; {go_on}\n"
    error = RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory")
    assert cli.main(command.split()) == 1
    assert capsys.readouterr().err == f"cellar: out of memory; {mend}, then run again\n"


def test_the_commands_with_checkpoints_and_batches_are_stages() -> None:
    assert KINDS.keys() >= set(cli.BATCHED)

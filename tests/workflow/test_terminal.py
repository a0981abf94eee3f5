"""The last words of a run: a table whole, of a long page the part above its sections."""

import importlib
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import IO

import pytest

from ..processes import Ended

LIB = Path(__file__).parents[2] / "workflow/lib"
TABLE = "results/tables/table_vi.md"


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(LIB))
    return importlib.import_module("terminal")


def test_a_table_is_shown_whole(terminal: ModuleType) -> None:
    page = "# Table VI\n\n|  | accuracy |\n"
    assert terminal.head(page, "results/tables/table_vi.md") == page


def test_a_long_page_is_shown_down_to_its_sections(terminal: ModuleType) -> None:
    shown = terminal.head("# Verdicts\n\n| study | all |\n\n## One study\n\n| line |\n", "results/tables/verdicts.md")
    assert shown == "# Verdicts\n\n| study | all |\n\nLine by line: results/tables/verdicts.md"


@pytest.mark.parametrize(
    ("ends", "scheduler", "dryrun", "jobs", "shown"),
    [
        ([True], True, False, 3, True),
        ([False], True, False, 3, False),
        ([], True, False, 0, True),  # nothing to be done
        ([], True, True, 0, False),  # a dry run
        ([], None, False, 3, False),  # a graph, a report; a folder that is locked; no --cores
    ],
)
def test_a_table_is_shown_only_after_a_run(
    terminal: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    ends: list[bool], scheduler: object, dryrun: bool, jobs: int, shown: bool,
) -> None:  # fmt: skip
    table = tmp_path / "results/tables/table_vi.md"
    table.parent.mkdir(parents=True)
    table.write_text("# Table VI\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(terminal, "ends", ends)
    monkeypatch.setattr(sys, "argv", ["snakemake", "results/tables/table_vi.md"])
    terminal.last_words(SimpleNamespace(scheduler=scheduler, dryrun=dryrun, touch=False, dag=[0] * jobs))
    assert ("Table VI" in capsys.readouterr().out) is shown


STAGES_OWN = "cellar: data/raw/mine: no such class; rename it\n"
OF_DVC = "cellar: DVC: failed to reproduce 'prepare-mine': failed to run: python -m cellar, exited with 1\n"


@pytest.mark.parametrize(("log", "said"), [(STAGES_OWN + OF_DVC, STAGES_OWN), ("epoch 1\n" + OF_DVC, OF_DVC)])
def test_dvcs_error_is_shown_where_the_stage_has_none(
    terminal: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    log: str, said: str,
) -> None:  # fmt: skip
    (tmp_path / "logs/prepare").mkdir(parents=True)
    (tmp_path / "logs/prepare/mine.log").write_text(log)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(terminal, "STARTED", 0)
    terminal.show_errors()
    assert capsys.readouterr().err == f"{said.strip()} (stage log: logs/prepare/mine.log)\n"


@pytest.mark.parametrize("target", [TABLE, f"./{TABLE}"])
@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_a_table_is_shown_by_whatever_name_on_whatever_terminal(table: Path, target: str, encoding: str) -> None:
    done = shown(table, target, PYTHONIOENCODING=encoding)
    mark = {"utf-8": "✓", "ascii": r"\u2713"}[encoding]
    assert done.communicate(timeout=60) == (f"\n# Table VI {mark}\n\n", "")


def test_a_reader_that_goes_away_is_no_error(table: Path) -> None:
    with shown(table, TABLE) as running:
        assert running.stdin and running.stdout and running.stderr
        running.stdout.close()  # as `| head` does
        running.stdin.close()
        said = running.stderr.read()
    assert (said, running.returncode) == ("", 0)


def test_an_output_that_cannot_be_written_is_one_line(table: Path) -> None:
    with Path("/dev/full").open("w") as full:
        _, said = shown(table, TABLE, stdout=full).communicate(timeout=60)
    assert said == f"cellar: {TABLE} is made, but cannot be shown: No space left on device\n"


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / TABLE
    path.parent.mkdir(parents=True)
    path.write_text("# Table VI ✓\n", encoding="utf-8")
    return path


def shown(table: Path, target: str, stdout: int | IO[str] = subprocess.PIPE, **environment: str) -> Ended:
    """A process that shows the tables named on its command line, and ends."""
    code = (
        f"import atexit, sys; sys.path.insert(0, {str(LIB)!r}); import terminal; atexit.register(terminal.show_tables)"
    )
    command = (sys.executable, "-c", f"{code}; sys.stdin.read()", target)
    return Ended(
        command, cwd=table.parents[2], env={**os.environ, **environment}, stdin=subprocess.PIPE, stdout=stdout,
        stderr=subprocess.PIPE, encoding="utf-8",
    )  # fmt: skip


def test_what_a_stage_says_after_ctrl_c_is_kept(tmp_path: Path) -> None:
    """The terminal sends it to the stage and to `tee` alike, and the stage has its last line still to say."""
    (pipe,) = re.findall(r"2>&1 \| tee .*\{log\}", (LIB.parents[1] / "Snakefile").read_text(encoding="utf-8"))
    stage = "trap 'sleep 0.5; echo cellar: interrupted; exit' INT; echo began; while true; do sleep 0.1; done"
    command = f"bash -c {shlex.quote(stage)} {pipe.format(log='stage.log')}"
    restored = "import signal, os, sys; signal.signal(signal.SIGINT, signal.SIG_DFL); os.execvp('bash', sys.argv[1:])"
    log = tmp_path / "stage.log"
    with Ended(
        (sys.executable, "-c", restored, "bash", "-c", command), cwd=tmp_path, start_new_session=True, text=True,
        stdout=subprocess.DEVNULL,
    ) as running:  # fmt: skip
        while not (log.exists() and log.read_text()):
            time.sleep(0.05)
        os.killpg(running.pid, signal.SIGINT)
        running.wait(timeout=60)
    assert log.read_text() == "began\ncellar: interrupted\n"

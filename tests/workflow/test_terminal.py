"""The last words of a run: a table whole, of a long page the part above its sections."""

import importlib
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

LIB = Path(__file__).parents[2] / "workflow/lib"


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

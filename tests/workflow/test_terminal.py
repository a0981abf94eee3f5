"""The last words of a run: a table whole, of a long page the part above its sections."""

import importlib
from pathlib import Path
from types import ModuleType

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

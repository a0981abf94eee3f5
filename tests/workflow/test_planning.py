"""What the command line of Snakemake asks of the plan."""

import sys
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from cellar import config

from .conftest import ROOT

TABLE, SWEEP = "results/tables/table_vi.md", "results/tables/fer2013_sweep.md"


@pytest.fixture(scope="module")
def plan() -> Iterator[Any]:
    """Of the shipped parameters."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT / "workflow/lib"))
        patch.chdir(ROOT)
        import planning

        yield planning.Plan(config.load(), SimpleNamespace())


@pytest.mark.parametrize(
    ("words", "named", "targets"),
    [
        (f"-np {TABLE} ./{SWEEP}", [TABLE, SWEEP], [TABLE, SWEEP]),
        (f"--cores 2 -- {TABLE}", [TABLE], [TABLE]),
        (f"--cores 2 {TABLE} tabulate", [TABLE], []),
        *(
            (f"--cores 2 {option} {TABLE}", [TABLE], [])
            for option in ("-R", "-nP", "-U", "-O", "--forcerun", "--until")
        ),
        (f"--forcerun=count_models -- {SWEEP}", [SWEEP], []),
        (f"-- {TABLE} --until", [TABLE], [TABLE]),
    ],
)
def test_a_file_is_a_target_unless_an_option_takes_it(
    plan: Any, monkeypatch: pytest.MonkeyPatch, words: str, named: list[str], targets: list[str]
) -> None:
    """Where it does, Snakemake builds all the same, so all is looked at."""
    monkeypatch.setattr(sys, "argv", ["snakemake", *words.split(), ""])
    assert (plan.named(), plan.targets()) == (named, targets)

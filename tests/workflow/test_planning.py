"""What the command line of Snakemake asks of the plan."""

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from cellar import config
from cellar.errors import CellarError

from .conftest import FACES, ROOT

TABLE, SWEEP = "results/tables/table_vi.md", "results/tables/fer2013_sweep.md"


@pytest.fixture(scope="module")
def planning() -> Iterator[Any]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT / "workflow/lib"))
        patch.chdir(ROOT)
        yield importlib.import_module("planning")


@pytest.fixture(scope="module")
def plan(planning: Any) -> Any:
    """Of the shipped parameters."""
    return planning.Plan(config.load(), SimpleNamespace())


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


@pytest.mark.parametrize(
    ("recipe", "key"),
    [("teacher", "teachers.fer2013"), ("student_a", "experiments.fer2013-E1"), ("unused", None)],
)
def test_only_what_is_built_may_ask_for_more_gpus_than_there_are(
    planning: Any, raw: dict[str, Any], monkeypatch: pytest.MonkeyPatch, recipe: str, key: str | None
) -> None:
    recipes = raw["studies"][FACES]["recipes"]
    recipes[recipe] = recipes.get(recipe, recipes["teacher"]) | {"processes": 8}
    loaded = config.validate(raw, lambda key: Path("params.yaml"))
    plan = planning.Plan(loaded, SimpleNamespace())
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1")
    planning.check_gpus(loaded, plan.chain(["results/tables/contradictions.md"]), 2)
    planning.check_gpus(loaded, plan.chain([]), 8)
    if key is None:
        planning.check_gpus(loaded, plan.chain([]), 2)
        return
    with pytest.raises(CellarError) as caught:
        planning.check_gpus(loaded, plan.chain([TABLE]), 2)
    assert str(caught.value).startswith(f"studies.{FACES}.{key}: its recipe asks for processes: 8, a GPU each, and ")
    assert str(caught.value).endswith("snakemake --resources torch=8 gpu=8 …")

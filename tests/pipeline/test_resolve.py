"""`resolve`: what it depends on."""

from pathlib import Path
from typing import Any

import pytest

from cellar import config
from cellar.config import Config
from cellar.pipeline import plan
from tests.conftest import ROOT

Raw = dict[str, Any]
OBJECTS = "cifar100_kd"


@pytest.fixture(autouse=True)
def root(monkeypatch: pytest.MonkeyPatch) -> None:
    """Methods and networks are found from the project's root."""
    monkeypatch.chdir(ROOT)


def read(raw: Raw) -> Config:
    return config.validate(raw, lambda key: Path("params.yaml"))


def code_of_resolve(raw: Raw) -> tuple[str, ...]:
    return next(stage.code for stage in plan.stages(read(raw)) if stage.kind.name == "resolve")


def test_the_method_of_a_sweep_decides_on_settings_too(raw: Raw) -> None:
    """Also where no experiment has it; teachers learn by labels."""
    raw["studies"] = {OBJECTS: raw["studies"][OBJECTS] | {"experiments": {}}}
    assert {"src/cellar/methods/logit_kd.py", "src/cellar/methods/labels.py"} <= set(code_of_resolve(raw))


def test_so_do_the_defaults_of_exports(raw: Raw) -> None:
    assert "src/cellar/deployment/export/settings.py" in code_of_resolve(raw)

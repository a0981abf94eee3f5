"""`resolve`: what it depends on, and that it asks for dvc.yaml files that fit params.yaml."""

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from cellar import config
from cellar.config import Config
from cellar.errors import CellarError
from cellar.pipeline import dvc_yaml, plan, resolved
from cellar.pipeline.stages import resolve
from tests.conftest import ROOT

Raw = dict[str, Any]
OBJECTS = "cifar100_kd"
STUDENT, TEACHER = ("experiments", "cifar100-student_kd"), ("teachers", "cifar100")
START = {"start": {"weights": "own.pth"}, "freeze": True, "frozen_batch_norm": "eval"}


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


@pytest.fixture(scope="module")
def planned(shipped: Raw, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with one study, whose dvc.yaml files fit its params.yaml."""
    folder = tmp_path_factory.mktemp("planned")
    (folder / "src").symlink_to(ROOT / "src")
    shutil.copytree(ROOT / "studies", folder / "studies")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        write(shipped | {"studies": {OBJECTS: shipped["studies"][OBJECTS]}})
        dvc_yaml.write(plan.stages(config.load()))
    return folder


def write(raw: Raw) -> None:
    Path("params.yaml").write_text(yaml.safe_dump(raw))


@pytest.mark.parametrize(
    ("line", "change", "fits"),
    [
        (STUDENT, {"model": "resnet8x4"}, False),
        (STUDENT, {"method": {"name": "dkd"}}, False),
        (STUDENT, {"teacher": {"experiment": "cifar100-student"}}, False),
        (STUDENT, START, False),
        (TEACHER, {"weights": "own.pth"}, False),
        (STUDENT, {"input_size": 16}, True),
    ],
    ids=["model", "method", "teacher", "start", "weights", "a value"],
)
def test_other_dependencies_need_another_dvc_yaml(
    raw: Raw, planned: Path, monkeypatch: pytest.MonkeyPatch, line: tuple[str, str], change: Raw, fits: bool
) -> None:
    """Plain DVC would run the stages with the old ones."""
    section, name = line
    raw["studies"] = {OBJECTS: raw["studies"][OBJECTS]}
    raw["studies"][OBJECTS][section][name] |= change
    monkeypatch.chdir(planned)
    monkeypatch.setattr(resolved, "by_file", lambda loaded: {})
    write(raw)
    if fits:
        resolve.run(resolve.Settings())
        return
    words = r"^\S*dvc\.yaml is out of date with params\.yaml; rewrite it with: cellar plan$"
    with pytest.raises(CellarError, match=words):
        resolve.run(resolve.Settings())

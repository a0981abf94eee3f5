"""The README's six lines for one's own images and networks, followed as far as its trainings."""

import re
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from PIL import Image

from cellar import models, tables
from cellar.config import Config
from cellar.config.composed import use
from cellar.methods.simkd import Reused
from cellar.pipeline import plan, resolved
from tests.conftest import ROOT
from tests.studies.kd_methods.conftest import KEY, evaluate
from tests.table_project import Project, put_studies

README = ROOT / "studies" / KEY / "README.md"


def six_lines() -> str:
    """The first YAML of the README."""
    found = re.search(r"```yaml\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    assert found
    return found.group(1)


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """The project after `cellar use kd_methods/mine`."""
    monkeypatch.chdir(tmp_path)
    put_studies()
    Path(f"studies/{KEY}/params/mine.yaml").write_text(six_lines(), encoding="utf-8")
    assert use([f"{KEY}/mine"]) == [f"{KEY}/mine"]
    return Project(yaml.safe_load(Path("params.yaml").read_text(encoding="utf-8")))


def test_they_are_six_lines() -> None:
    assert len(six_lines().splitlines()) == 6


def test_the_scale_that_tables_show_is_not_that_of_the_papers(mine: Project) -> None:
    """A table's first line said "the usual recipe of 240 epochs", whatever the user's own recipe was."""
    params = mine.params(KEY)
    epochs = params.recipes[params.experiments["mine-alone"].recipe].epochs
    assert params.scale.name == "mine" and not params.scale.synthetic
    assert f"{epochs} epochs" in params.scale.note and "240" not in params.scale.note


def test_they_compare_all_methods_on_the_folder(mine: Project) -> None:
    params = mine.params(KEY)
    assert len(params.experiments) == 31 and {line.dataset for line in params.experiments.values()} == {"mine"}
    assert list(params.teachers) == ["large"]
    kinds = [stage.kind.name for stage in plan.stages(mine.config())]
    assert kinds.count("distill_student") == 30 and kinds.count("train_student") == kinds.count("train_teacher") == 1
    resolved.by_file(mine.config())  # every method serves the two networks


def test_the_folder_is_read(mine: Project) -> None:
    random = np.random.default_rng(0)
    for split, count in (("train", 10), ("test", 2)):
        for name in ("cat", "dog"):
            folder = Path("data/raw/mine") / split / name
            folder.mkdir(parents=True)
            for number in range(count):
                Image.fromarray(random.integers(0, 256, (32, 32, 3), dtype=np.uint8)).save(folder / f"{number}.png")
    prepare = next(stage for stage in plan.stages(mine.config()) if stage.kind.name == "prepare")
    prepare.kind.run(prepare.job.settings)
    manifest = yaml.safe_load(Path("data/prepared/mine/manifest.json").read_text())
    assert manifest["classes"] == ["cat", "dog"] and sum(manifest["counts"]["validation"].values()) == 2


def test_the_table_compares_them(mine: Project) -> None:
    config: Config = mine.config()
    assert f"{KEY}/mine" in tables.known(config)
    params = mine.params(KEY)
    for kind, lines in (("teachers", params.teachers), ("students", params.experiments)):
        for key in lines:
            evaluate(mine, key, right=20, kind=kind)
    rows = {row.id: row.cells for row in mine.build(f"{KEY}/mine").rows}
    assert len(rows) == 32 and rows["crd"]["gain"].value == 0.0
    assert all(cell.paper is None for cells in rows.values() for cell in cells.values())


def test_a_method_that_cannot_serve_the_networks_is_one_line_before_anything_runs(mine: Project) -> None:
    from cellar.errors import CellarError

    mine.experiment("mine-fsp")["model"] = "vgg8"
    with pytest.raises(CellarError, match=r"mine-fsp: method fsp: its matrices must have one shape[^\n]*$"):
        resolved.by_file(mine.config())


def test_what_simkd_adds_to_its_student_is_as_stated() -> None:
    """Projector and classifier of ResNet50 -> MobileNetV2, in parameters."""
    sides = [models.build(name, 100) for name in ("mobilenet_v2_half", "resnet50_cifar")]
    student, teacher = (network.eval().features(torch.zeros(1, 3, 32, 32)) for network in sides)  # type: ignore[operator]
    inputs, outputs = student.maps[-1].shape[1], teacher.maps[-1].shape[1]
    reused = Reused(inputs, outputs // 2, outputs, 100, (1, 1))
    added = sum(tensor.numel() for tensor in reused.parameters()) + reused.weight.numel() + reused.bias.numel()
    own = sum(tensor.numel() for tensor in sides[0].parameters())
    words = f"{added / 1e6:.0f} million parameters more than the other students' {own / 1e6:.1f} million"
    assert words in " ".join(README.read_text(encoding="utf-8").split())

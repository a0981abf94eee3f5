"""Students with known random weights, exported once; tests that need a missing optional package are skipped."""

from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from cellar import models
from cellar.deployment import packages
from cellar.deployment.export.description import Description

ABSENT = [name for name in {*packages.EXPORT, *packages.PREDICT} if find_spec(name) is None]
ABOUT = Description(
    ("glad", "sad", "none of these"), "CC BY-NC 4.0", "toy/small/seed-0", "toy", "0" * 64, 32, False, "imagenet", False
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests in the folders below need none of them."""
    if ABSENT:
        reason = f"{', '.join(sorted(ABSENT))} not installed: make using"
        for item in items:
            if item.path.parent == Path(__file__).parent:
                item.add_marker(pytest.mark.skip(reason=reason))


@dataclass(frozen=True)
class Exported:
    """A network in evaluation mode and the files that were made of it."""

    network: nn.Module
    about: Description
    fp32: Path
    int8: Path


@pytest.fixture(scope="session")
def rng() -> np.random.Generator:
    return np.random.default_rng(7)


@pytest.fixture(scope="session")
def students(tmp_path_factory: pytest.TempPathFactory, rng: np.random.Generator) -> dict[str, Exported]:
    """One that learnt colours, one that learnt grey images, one whose network takes blue first."""
    folder = tmp_path_factory.mktemp("students")
    kinds = {"colour": ABOUT, "grey": replace(ABOUT, grey=True), "blue": replace(ABOUT, normalisation="vggface2")}
    return {name: exported(about, folder / name, rng) for name, about in kinds.items()}


@pytest.fixture
def model(students: dict[str, Exported], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    return str(students["grey"].fp32)


def exported(about: Description, folder: Path, rng: np.random.Generator) -> Exported:
    from cellar.deployment.export import writing

    torch.manual_seed(3)
    network = models.build("cnn4", len(about.classes)).eval()
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):  # as after a training, not the identity
            nn.init.uniform_(module.running_mean, -0.5, 0.5)
            nn.init.uniform_(module.running_var, 0.5, 2)
    made = Exported(network, about, folder / "student.onnx", folder / "student.int8.onnx")
    writing.write_fp32(network, about, made.fp32)
    writing.write_int8(made.fp32, about, noise(rng, 16, 32, 32), made.int8)
    return made


def noise(rng: np.random.Generator, *shape: int) -> np.ndarray:
    """Images uint8 (*shape, 3) of smooth noise."""
    coarse = rng.integers(0, 256, (shape[0], 8, 8, 3)).repeat(-(-shape[1] // 8), 1).repeat(-(-shape[2] // 8), 2)
    return coarse[:, : shape[1], : shape[2]].astype(np.uint8)

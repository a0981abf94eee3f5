"""Two processes, a part of each batch for either, learn what one learns of the whole."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from cellar.config import Recipe
from cellar.data.inputs.augmentation import Split, build_augmentation
from cellar.engine import distributed, runtime, training
from cellar.engine.checkpoint import Checkpoint
from cellar.engine.distributed import SINGLE_PROCESS, DistributedContext
from cellar.engine.runtime import Progress
from cellar.methods.base import Method, ShuffledSampler, validation_scores
from cellar.methods.ctkd import CTKD
from cellar.methods.feature_distillation import Student
from cellar.methods.feature_kd import FeatureKD
from cellar.methods.fitnet import FitNet
from cellar.methods.labels import Labels
from cellar.methods.maps import Regressor
from cellar.methods.mlkd import MLKD, with_two_views
from cellar.methods.triplet import Triplet
from cellar.models.features import Features

IMAGES, BATCH = 33, 12  # the last batch has 9: parts of 4 and 5
RECIPE: dict[str, Any] = {
    "epochs": 3, "batch_size": BATCH, "learning_rate": 0.01, "momentum": 0.9, "weight_decay": 0.001,
    "schedule": {"inverse_sqrt": True}, "class_weighting": "none", "select_on": "validation_loss",
}  # fmt: skip
FEATURES = 4  # of the network


def labels() -> Method:
    method = Labels(Labels.Params())
    method.class_weights = torch.tensor([0.2, 1.0, 5.0])
    return method


def features() -> Method:
    method = FeatureKD(FeatureKD.Params(loss="mse", images_per_epoch=IMAGES))
    targets = torch.randn(IMAGES, FEATURES, generator=torch.Generator().manual_seed(0))
    method.teacher = SimpleNamespace(forward=lambda image, augmentation: targets[image])  # type: ignore[assignment]
    return method


def stages() -> Method:
    """Maps of both networks, and a regressor with batch norm beside the student."""
    method, side = FitNet(FitNet.Params(feature_weight=1.0, hint_layer=1)), 10
    method.student = Student(ServingNetwork())
    shapes = torch.empty(1, FEATURES, side, side), torch.empty(1, 5, side, side)
    method.student.add(Regressor(*shapes))
    taught = torch.randn(IMAGES, 5, side, side, generator=torch.Generator().manual_seed(0)).relu()
    served = Features((taught, taught), (taught, taught), taught.mean((2, 3)), torch.zeros(IMAGES, 3))
    method.teacher = SimpleNamespace(  # type: ignore[assignment]
        begin_epoch=lambda indices: None, features=lambda batch: served.map(lambda tensor: tensor[batch.image])
    )
    return method


def temperature() -> Method:
    """It trains a parameter beside the network, which no forward pass meets."""
    method = CTKD(CTKD.Params(curriculum=2))
    taught = torch.randn(IMAGES, 3, generator=torch.Generator().manual_seed(0))
    method.teacher = SimpleNamespace(logits=lambda image, augmentation: 3 * taught[image])  # type: ignore[assignment]
    return method


def views() -> Method:
    """Two augmentations of each image, one after the other."""
    method = MLKD(MLKD.Params())
    taught = torch.randn(IMAGES, 2, 3, generator=torch.Generator().manual_seed(0))
    method.teacher = SimpleNamespace(forward=lambda image, augmentation: 3 * taught[image])  # type: ignore[assignment]
    return method


METHODS: dict[str, Callable[[], Method]] = {
    "class weights": labels,
    "triplets": lambda: Triplet(Triplet.Params(margin=1.0, per_epoch=11)),
    "features": features,
    "stages": stages,
    "temperature": temperature,
    "two views": views,
}
WRAPPED = ("features", "temperature", "two views")
TOLERANCE = 1e-5  # of a loss: sums of another order


def split() -> Split:
    generator = torch.Generator().manual_seed(1)
    images = torch.randint(256, (IMAGES, 1, 12, 12), generator=generator, dtype=torch.uint8)
    return Split(images, torch.randint(3, (IMAGES,), generator=generator), build_augmentation("flip", "imagenet"))


class Network(nn.Module):
    """Weight decay would change its last layer, did anything give that a gradient."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, FEATURES, 3)
        self.fc = nn.Linear(FEATURES, 3)

    def features(self, x: Tensor) -> Tensor:
        return torch.relu(self.conv(x)).mean(dim=(2, 3))

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.fc(self.features(x))
        return logits


class ServingNetwork(Network):
    """Serves its map as the stem's and as a stage's."""

    def features(self, x: Tensor) -> Features:  # type: ignore[override]
        raw = self.conv(x)
        maps = torch.relu(raw)
        vector = maps.mean(dim=(2, 3))
        return Features((maps, maps), (maps, raw), vector, self.fc(vector))

    def forward(self, x: Tensor) -> Tensor:
        return self.features(x).logits


def learn(name: str, folder: Path, context: DistributedContext) -> list[dict[str, float]]:
    torch.manual_seed(0)
    method, network = METHODS[name](), Network()
    model = method.wrap(network) if name in WRAPPED else getattr(method, "student", network)
    evaluations: list[int] = []

    def evaluator(evaluated: nn.Module) -> dict[str, float]:
        evaluations.append(1)
        return validation_scores(evaluated, split(), "fp32")

    sampler = ShuffledSampler(IMAGES, 2, 0, torch.device("cpu"))
    trained = with_two_views(split()) if name == "two views" else split()
    result = training.train(
        model, trained, method, Recipe.model_validate(RECIPE), sampler=sampler,
        evaluator=evaluator, seed=0, precision="fp32", checkpoint=Checkpoint(str(folder)), progress=Progress(None, 1), context=context,
    )  # fmt: skip
    assert len(evaluations) == (0 if context.rank else RECIPE["epochs"])
    digest = sum(value.double().sum().item() for value in result.last.values())
    return [*result.history, {"weights": digest}]


def main(name: str, folder: Path) -> None:
    """One of two processes: writes its history."""
    with distributed.join(runtime.prepare(1), 2) as context:
        (folder / f"{context.rank}.json").write_text(json.dumps(learn(name, folder, context)))


@pytest.mark.parametrize("name", METHODS)
def test_the_loss_curve_is_that_of_one_process(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    runtime.prepare(1)
    alone = learn(name, tmp_path / "alone", SINGLE_PROCESS)
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", str(Path(__file__).resolve()), name]  # fmt: skip
    done = subprocess.run(
        [*command, str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        env=os.environ | {"CUDA_VISIBLE_DEVICES": ""},
    )
    assert done.returncode == 0, done.stderr
    first, second = (json.loads((tmp_path / f"{rank}.json").read_text()) for rank in (0, 1))
    assert first == second  # all processes decide alike
    for mine, theirs in zip(alone, first, strict=True):
        assert theirs == pytest.approx(mine, rel=TOLERANCE, nan_ok=True)


@pytest.mark.parametrize(("rows", "size"), [(12, 2), (9, 2), (9, 4), (33, 5)])
def test_shards_are_the_batch_in_order(rows: int, size: int) -> None:
    place = slice(100, 100 + rows)
    parts = [DistributedContext(rank, size).shard(place) for rank in range(size)]
    assert (parts[0].start, parts[-1].stop) == (place.start, place.stop)
    assert all(one.stop == other.start for one, other in pairwise(parts))
    assert {part.stop - part.start for part in parts} <= {rows // size, rows // size + 1}


def test_a_batch_too_small_to_share_is_taken_whole_by_each() -> None:
    assert [DistributedContext(rank, 4).shard(slice(0, 7)) for rank in range(4)] == [slice(0, 7)] * 4
    output: Tensor = torch.ones(7, 3, requires_grad=True)
    assert DistributedContext(1, 4).all_gather(output, slice(0, 7)) is output


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))

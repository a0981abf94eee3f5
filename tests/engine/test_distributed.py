"""Two processes, a part of each batch for either, learn what one learns of the whole."""

import json
import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from cellar.engine.checkpoints import Checkpoint
from cellar.engine.inference import Split
from cellar.engine.progress import Progress
from cellar.methods.losses.triplet import ordered_triplet_loss
from cellar.methods.objectives.features import FeatureDistillation
from cellar.methods.objectives.labels import Labels
from cellar.methods.objectives.of_output import OfOutput
from cellar.models.features_of import FeaturesOf
from torch import Tensor, nn

from cellar.config import Recipe
from cellar.data.augmentation.inputs import build_augmentation
from cellar.engine import devices, distributed, inference, training
from cellar.engine.distributed import Team
from cellar.engine.training import EveryImage, Objective

IMAGES, BATCH = 33, 12  # the last batch has 9: parts of 4 and 5
RECIPE: dict[str, Any] = {
    "epochs": 3, "batch_size": BATCH, "learning_rate": 0.01, "momentum": 0.9, "weight_decay": 0.001,
    "schedule": {"inverse_sqrt": True}, "class_weighting": "none", "select_on": "validation_loss",
}  # fmt: skip
FEATURES = 4  # of the network
OBJECTIVES: dict[str, Objective] = {
    "class weights": Labels(torch.tensor([0.2, 1.0, 5.0])),
    "triplets": OfOutput(lambda output: ordered_triplet_loss(output, margin=1.0)),
    "features": FeatureDistillation(np.random.default_rng(0).normal(size=(IMAGES, FEATURES)).astype(np.float16), "mse"),
}
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


def learn(objective: str, folder: Path, team: Team) -> list[dict[str, float]]:
    torch.manual_seed(0)
    model = FeaturesOf(Network()) if objective == "features" else Network()
    seen: list[int] = []

    def judge(judged: nn.Module) -> dict[str, float]:
        seen.append(1)
        return inference.score(judged, split(), "fp32")

    outcome = training.train(
        model, split(), OBJECTIVES[objective], Recipe.model_validate(RECIPE), sampler=EveryImage(IMAGES, 2, 0, torch.device("cpu")),
        judge=judge, seed=0, precision="fp32", checkpoint=Checkpoint({"in": str(folder)}), progress=Progress(None, 1), team=team,
    )  # fmt: skip
    assert len(seen) == (RECIPE["epochs"] if team.is_first else 0)
    digest = sum(value.double().sum().item() for value in outcome.last.values())
    return [*outcome.history, {"weights": digest}]


def main(objective: str, folder: Path) -> None:
    """One of two processes: leaves what it learnt."""
    with distributed.join(devices.prepare(1), 2) as team:
        (folder / f"{team.rank}.json").write_text(json.dumps(learn(objective, folder, team)))


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_the_loss_curve_is_that_of_one_process(objective: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    devices.prepare(1)
    alone = learn(objective, tmp_path / "alone", distributed.ALONE)
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", str(Path(__file__).resolve()), objective]  # fmt: skip
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
    assert first == second  # whatever is decided is decided alike
    for mine, theirs in zip(alone, first, strict=True):
        assert theirs == pytest.approx(mine, rel=TOLERANCE)


@pytest.mark.parametrize(("rows", "size"), [(12, 2), (9, 2), (9, 4), (33, 5)])
def test_parts_are_the_batch_in_order(rows: int, size: int) -> None:
    place = slice(100, 100 + rows)
    parts = [Team(rank, size).part(place) for rank in range(size)]
    assert (parts[0].start, parts[-1].stop) == (place.start, place.stop)
    assert all(one.stop == other.start for one, other in pairwise(parts))
    assert {part.stop - part.start for part in parts} <= {rows // size, rows // size + 1}


def test_a_batch_too_small_to_share_is_taken_whole_by_each() -> None:
    assert [Team(rank, 4).part(slice(0, 7)) for rank in range(4)] == [slice(0, 7)] * 4
    output: Tensor = torch.ones(7, 3, requires_grad=True)
    assert Team(1, 4).whole(output, slice(0, 7)) is output


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))

"""Triplet loss and accuracy against sums written out by hand."""

import pytest
import torch

from cellar import models
from cellar.config.resolved import TrainingSettings
from cellar.errors import CellarError
from cellar.methods.triplet import Triplet, distances_of, ordered_triplet_loss, squared_distances, triplet_loss
from tests.engine.tiny import settings_of

ANCHOR = torch.tensor([[0.0, 0.0], [1.0, 1.0], [2.0, 0.0]])
POSITIVE = torch.tensor([[1.0, 0.0], [1.0, 4.0], [2.0, 1.0]])  # squared distances 1, 9, 1
NEGATIVE = torch.tensor([[0.0, 2.0], [3.0, 1.0], [1.0, 0.0]])  # 4, 4, 1


def test_distances_are_squared_and_the_positives_come_first() -> None:
    found = squared_distances(ANCHOR, POSITIVE, NEGATIVE)
    assert found.tolist() == [[1, 4], [9, 4], [1, 1]]


def test_the_loss_is_the_mean_of_equation_1() -> None:
    found = triplet_loss(ANCHOR, POSITIVE, NEGATIVE, margin=2.0)
    assert found.item() == pytest.approx((max(1 - 4 + 2, 0) + (9 - 4 + 2) + (1 - 1 + 2)) / 3)


def test_gradient_of_a_triplet_within_the_margin_and_of_one_beyond_it() -> None:
    """d/dA = 2 (N - P), d/dP = 2 (P - A), d/dN = 2 (A - N), each by the number of triplets; nothing past the margin."""
    parts = [part.clone().requires_grad_() for part in (ANCHOR, POSITIVE, NEGATIVE)]
    triplet_loss(*parts, margin=2.0).backward()
    a, p, n = ANCHOR[1], POSITIVE[1], NEGATIVE[1]
    for part, wanted in zip(parts, (2 * (n - p), 2 * (p - a), 2 * (a - n)), strict=True):
        torch.testing.assert_close(part.grad[1], wanted / 3)
        assert part.grad[0].tolist() == [0, 0]


def test_a_batch_is_read_anchor_positive_negative() -> None:
    embeddings = torch.stack([ANCHOR, POSITIVE, NEGATIVE], 1).flatten(0, 1)
    assert embeddings[:3].tolist() == [[0, 0], [1, 0], [0, 2]]
    assert ordered_triplet_loss(embeddings, margin=2.0).item() == pytest.approx(3)


def test_a_batch_that_cuts_a_triplet_is_one_line() -> None:
    with pytest.raises(
        CellarError, match=r"batch of 16 images cuts a triplet in two; make batch_size .* multiple of 3"
    ):
        ordered_triplet_loss(torch.zeros(16, 2), margin=1.0)


def test_distances_of_many_triplets_are_those_of_each(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cellar.methods.triplet.ROWS", 4)
    generator = torch.Generator().manual_seed(0)
    embeddings = torch.randn(7, 5, generator=generator)
    triplets = torch.randint(7, (10, 3), generator=generator)
    wanted = [
        [float(((embeddings[a] - embeddings[other]) ** 2).sum()) for other in (p, n)] for a, p, n in triplets.tolist()
    ]
    torch.testing.assert_close(distances_of(embeddings, triplets), torch.tensor(wanted))


def test_half_precision_embeddings_are_compared_in_float32() -> None:
    """Distances past float16's largest number, 65,504."""
    far = torch.full((1, 512), 20.0, dtype=torch.float16)
    assert squared_distances(far, -far, far).tolist() == [[512 * 1600, 0]]


def test_a_network_without_a_vector_of_features_is_one_line() -> None:
    """A network that serves feature maps has `features` too, and gives more than a vector."""
    plain = settings_of("students", "toy/triplet", {"name": "triplet", "margin": 1.0, "per_epoch": 4})
    plain["recipe"] = plain["recipe"] | {"batch_size": 15}
    for model in ("resnet20", "resemotenet_b"):
        settings = TrainingSettings.model_validate(plain | {"model": model, "model_file": str(models.file_of(model))})
        with pytest.raises(CellarError, match=f"toy/triplet: {model} gives no vector of features; these .* resnet18"):
            Triplet(Triplet.Params(margin=1.0, per_epoch=4)).check(settings)

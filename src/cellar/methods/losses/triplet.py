"""Triplet loss (small-dataset study, eq. 1 and 5); its accuracy, eq. 6, is graded in cellar.metrics.from_predictions.

After FaceNet (arXiv:1503.03832), which scales embeddings to length 1; the study does not say so: they are taken as
they are.
"""

import torch
from torch import Tensor

from cellar.errors import CellarError

ROWS = 1024  # triplets at a time: of 2,048 features, 25 MB


def squared_distances(anchor: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
    """|f(A) - f(P)|² and |f(A) - f(N)|² of embeddings (B, D) each: (B, 2) float32, squared Euclidean distances."""
    near, far = (anchor.float() - other.float() for other in (positive, negative))
    return torch.stack([near.square().sum(1), far.square().sum(1)], 1)


def triplet_loss(anchor: Tensor, positive: Tensor, negative: Tensor, margin: float) -> Tensor:
    """Eq. 1: mean over triplets of max(|f(A) - f(P)|² - |f(A) - f(N)|² + margin, 0); embeddings (B, D) each."""
    return loss_of_distances(squared_distances(anchor, positive, negative), margin)


def loss_of_distances(distances: Tensor, margin: float) -> Tensor:
    """Eq. 1 of squared distances (B, 2), to the positive and to the negative."""
    near, far = distances.unbind(1)
    return (near - far + margin).relu().mean()


def ordered_triplet_loss(embeddings: Tensor, *, margin: float) -> dict[str, Tensor]:
    """Eq. 1 of embeddings (3B, D) laid out anchor, positive, negative, anchor, ...: {"loss", "task", "distill"}.

    Raises CellarError for a batch that ends within a triplet.
    """
    if len(embeddings) % 3:
        raise CellarError(
            f"a batch of {len(embeddings)} images cuts a triplet in two; make batch_size in its recipe a multiple of 3"
        )
    anchor, positive, negative = embeddings.unflatten(0, (-1, 3)).unbind(1)
    task = triplet_loss(anchor, positive, negative, margin)
    return {"loss": task, "task": task, "distill": torch.zeros_like(task)}


def distances_of(embeddings: Tensor, triplets: Tensor) -> Tensor:
    """Squared distances (M, 2) of triplets (M, 3) of image numbers, from every image's embedding (N, D)."""
    columns = (part.unbind(1) for part in triplets.split(ROWS))
    return torch.cat([squared_distances(embeddings[a], embeddings[p], embeddings[n]) for a, p, n in columns])

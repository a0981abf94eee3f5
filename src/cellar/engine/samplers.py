"""Which images an epoch shows, where that is not every image once: triplets, few-shot tasks, some of very many.

All follows from labels, seed and epoch; it is drawn on the CPU and then moved, so that every device sees the same.
"""

from dataclasses import dataclass
from typing import Self

import torch
from torch import Generator, Tensor

from cellar.engine.training import Draw
from cellar.errors import CellarError
from cellar.seeding import derive

WIDE = 2**62  # numbers below it, cut to a range by a remainder, are as good as uniform


@dataclass(frozen=True)
class RandomTriplets:
    """A sampler: `triplets` random triplets an epoch."""

    labels: Tensor  # (N,)
    triplets: int
    views_count: int  # of an image
    seed: int

    @property
    def size(self) -> int:
        return 3 * self.triplets

    def __call__(self, epoch: int) -> Draw:
        return triplet_draw(self.labels, self.triplets, self.views_count, self.seed, epoch)


@dataclass(frozen=True)
class RandomTasks:
    """A sampler: `tasks` random tasks an epoch, each of `ways` classes, `shots` + `queries` images of a class."""

    labels: Tensor  # (N,)
    tasks: int
    ways: int
    shots: int
    queries: int
    views_count: int  # of an image
    seed: int

    @property
    def size(self) -> int:
        return self.tasks * self.ways * (self.shots + self.queries)

    def __call__(self, epoch: int) -> Draw:
        sizes = self.tasks, self.ways, self.shots, self.queries
        return task_draw(self.labels, *sizes, self.views_count, self.seed, epoch)


@dataclass(frozen=True)
class RandomImages:
    """A sampler: `size` images an epoch, drawn with replacement, as the small-dataset study's code draws faces."""

    size: int
    images: int  # to draw from
    views_count: int  # of an image
    seed: int
    device: torch.device

    def __call__(self, epoch: int) -> Draw:
        generator = Generator().manual_seed(derive(self.seed, "images", epoch))
        index = torch.randint(self.images, (self.size,), generator=generator)
        return in_random_views(index, self.views_count, self.seed, epoch, self.device)


def triplet_draw(labels: Tensor, triplets: int, views_count: int, seed: int, epoch: int) -> Draw:
    """An epoch of triplets, laid out anchor, positive, negative, anchor, ...; labels (N,).

    Anchors are images drawn evenly, positives other images of their class, negatives images of other classes, each in
    a random view. Raises CellarError for a class that has one image.
    """
    groups = Groups.by_class(labels)
    refuse_smaller(groups, 2, "a triplet takes 2 of a class; add one, or take the class out")
    index = triplet_index(groups, triplets, Generator().manual_seed(derive(seed, "triplets", epoch)))
    return in_random_views(index.flatten(), views_count, seed, epoch, labels.device)


def fixed_triplets(labels: Tensor, triplets: int, seed: int) -> Tensor:
    """Image numbers (M, 3) to evaluate on: anchor, positive, negative. Of a class with one image come negatives only."""
    generator = Generator().manual_seed(derive(seed, "fixed triplets"))
    return triplet_index(Groups.by_class(labels), triplets, generator).to(labels.device)


def task_draw(
    labels: Tensor, tasks: int, ways: int, shots: int, queries: int, views_count: int, seed: int, epoch: int
) -> Draw:
    """An epoch of tasks, one after the other; in each, class by class, `shots` support images, then `queries`.

    labels (N,). Within a task no class and no image comes twice. Raises CellarError where images or classes are too few.
    """
    groups = Groups.by_class(labels)
    each = shots + queries
    refuse_smaller(groups, each, f"a task takes {each} of a class (shots + queries); lower them in the line's tasks")
    generator = Generator().manual_seed(derive(seed, "tasks", epoch))
    index = task_index(groups, tasks, ways, each, generator)
    return in_random_views(index.flatten(), views_count, seed, epoch, labels.device)


def fixed_tasks(labels: Tensor, tasks: int, ways: int, shots: int, queries: int, seed: int) -> Tensor:
    """Image numbers (M, ways * (shots + queries)) to evaluate on, laid out as an epoch's; classes too small stay out."""
    generator = Generator().manual_seed(derive(seed, "fixed tasks"))
    return task_index(Groups.by_class(labels), tasks, ways, shots + queries, generator).to(labels.device)


def in_random_views(index: Tensor, views_count: int, seed: int, epoch: int, device: torch.device) -> Draw:
    generator = Generator().manual_seed(derive(seed, "views", epoch))
    view = torch.randint(views_count, index.shape, generator=generator)
    return Draw(index.to(device), view.to(device))


@dataclass(frozen=True)
class Groups:
    """Images sorted by class: those of group g are order[start[g] : start[g] + count[g]]."""

    order: Tensor  # (N,) image numbers
    classes: Tensor  # (G,) labels, ascending
    start: Tensor  # (G,)
    count: Tensor  # (G,)

    @classmethod
    def by_class(cls, labels: Tensor) -> Self:
        labels = labels.cpu()
        classes, count = labels.unique(return_counts=True)
        return cls(labels.argsort(stable=True), classes, count.cumsum(0) - count, count)


def refuse_smaller(groups: Groups, least: int, why: str) -> None:
    for label, count in zip(groups.classes.tolist(), groups.count.tolist(), strict=True):
        if count < least:
            images = "one training image" if count == 1 else f"{count} training images"
            raise CellarError(f"class {label} (counted from 0) has {images}, and {why}")


def triplet_index(groups: Groups, triplets: int, generator: Generator) -> Tensor:
    """Image numbers (T, 3): anchor, positive, negative. Raises CellarError when no class or only one could give them."""
    paired = groups.count > 1
    if len(groups.classes) < 2 or not paired.any():
        raise CellarError("triplets need two classes, one of them with two images; the images have no such classes")
    group = torch.arange(len(groups.count)).repeat_interleave(groups.count)  # (N,), of each place in the order
    places = paired[group].nonzero().flatten()
    anchor = places[torch.randint(len(places), (triplets,), generator=generator)]
    start, count = groups.start[group[anchor]], groups.count[group[anchor]]
    positive = start + (anchor - start + 1 + below(count - 1, generator)) % count
    negative = (start + count + below(len(group) - count, generator)) % len(group)
    return groups.order[torch.stack([anchor, positive, negative], 1)]


def task_index(groups: Groups, tasks: int, ways: int, each: int, generator: Generator) -> Tensor:
    """Image numbers (T, ways * each): `each` images of each of `ways` classes, from classes that have so many."""
    able = (groups.count >= each).nonzero().flatten()
    if len(able) < ways:
        raise CellarError(
            f"a task takes {ways} classes of {each} images (shots + queries), and {len(able)} have so many; "
            "lower ways, shots or queries in the line's tasks"
        )
    group = able[different(torch.full((tasks,), len(able)), ways, generator)].flatten()  # (T * ways,)
    places = groups.start[group][:, None] + different(groups.count[group], each, generator)
    return groups.order[places].view(tasks, ways * each)


def below(bounds: Tensor, generator: Generator) -> Tensor:
    """One random number below each of `bounds` (M,)."""
    return torch.randint(WIDE, bounds.shape, generator=generator) % bounds


def different(bounds: Tensor, wanted: int, generator: Generator) -> Tensor:
    """`wanted` different random numbers below each of `bounds` (M,), in random order: (M, wanted)."""
    most = int(bounds.max())
    keys = torch.rand(len(bounds), most, generator=generator, dtype=torch.float64)
    keys[torch.arange(most) >= bounds[:, None]] = 1  # past all others
    return keys.argsort(dim=1, stable=True)[:, :wanted]

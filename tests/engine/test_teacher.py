"""Cached teacher logits equal those of a forward pass, bit for bit, whichever job computes them; live features."""

import multiprocessing
import os
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from cellar import models
from cellar.data.inputs.augmentation import build_augmentation
from cellar.engine import teacher as teachers
from cellar.engine.activations import forward_with_features, last_layer
from cellar.engine.teacher import CachedTeacher, FixedBatchTeacher, LogitStore
from cellar.errors import CellarError

AUGMENTATION = build_augmentation("crop_flip", "cifar100")
IMAGES, CLASSES, BATCH = 37, 7, 16
WHOLE, SOME = 64, 10  # images that fit, in the tests' budgets


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def images() -> Tensor:
    return torch.randint(256, (IMAGES, 1, 16, 16), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)


def teacher() -> nn.Module:
    torch.manual_seed(0)
    return models.build("resemotenet_b", CLASSES).to(memory_format=torch.channels_last)


def open_cache(
    monkeypatch: pytest.MonkeyPatch, kept: int = WHOLE, storage: str = "fp32", **identity: Any
) -> CachedTeacher:
    """A cache with room for `kept` images."""
    entry = CLASSES * {"fp32": 4, "fp16": 2}[storage] + 1
    monkeypatch.setattr(teachers, "MB", kept * AUGMENTATION.count * entry)
    store = LogitStore({"teacher": "a", **identity}, IMAGES, AUGMENTATION.count, CLASSES, storage, 1)
    assert store.images == min(kept, IMAGES)
    return CachedTeacher(FixedBatchTeacher(teacher, images(), AUGMENTATION, BATCH, "fp32"), store)


def pairs(seed: int, n: int = IMAGES) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return torch.randperm(IMAGES, generator=generator)[:n], torch.randint(AUGMENTATION.count, (n,), generator=generator)


def silent(_: int) -> None: ...


def on_the_fly(image: Tensor, augmentation: Tensor) -> Tensor:
    return torch.cat(
        list(FixedBatchTeacher(teacher, images(), AUGMENTATION, BATCH, "fp32").outputs(image, augmentation))
    )


@pytest.mark.parametrize("kept", [WHOLE, SOME, 0])
def test_cached_equals_on_the_fly_bit_for_bit(kept: int, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = open_cache(monkeypatch, kept)
    for seed in range(4):  # epochs: random pairs, in an order, batches and company of their own
        image, augmentation = pairs(seed)
        assert torch.equal(cache.logits(image, augmentation, silent), on_the_fly(image, augmentation))
    for size in (1, 3, 7):
        image, augmentation = pairs(size, size)
        alone = torch.cat([on_the_fly(image[i : i + 1], augmentation[i : i + 1]) for i in range(size)])
        assert torch.equal(cache.logits(image, augmentation, silent), alone)


def test_a_pair_is_computed_once_whichever_process_needs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    first, again = open_cache(monkeypatch), open_cache(monkeypatch)
    image, augmentation = pairs(0)
    told: list[int] = []
    said = first.logits(image, augmentation, told.append)
    assert first.network.images_forwarded == IMAGES == sum(told)
    assert torch.equal(again.logits(image, augmentation, told.append), said)
    assert again.network.images_forwarded == 0 and again.facts()["teacher_images_answered"] == IMAGES
    assert "model" not in vars(again.network)  # not even built


def test_beyond_the_budget_logits_are_computed_every_time(monkeypatch: pytest.MonkeyPatch) -> None:
    cache = open_cache(monkeypatch, SOME)
    for _ in range(3):
        cache.logits(*pairs(0), silent)
    assert cache.network.images_forwarded == SOME + 3 * (IMAGES - SOME)


def test_fp16_rounds_and_rounds_alike_with_and_without_room(monkeypatch: pytest.MonkeyPatch) -> None:
    image, augmentation = pairs(0)
    exact = on_the_fly(image, augmentation)
    cached, uncached = (open_cache(monkeypatch, kept, "fp16") for kept in (WHOLE, 0))
    said = cached.logits(image, augmentation, silent)
    assert torch.equal(said, exact.half().float()) and not torch.equal(said, exact)
    assert torch.equal(said, uncached.logits(image, augmentation, silent))
    assert torch.equal(said, cached.logits(image, augmentation, silent))
    assert cached.facts()["teacher_logits_rounding"] == pytest.approx(float((said - exact).abs().max()))


def test_deleting_the_cache_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    said = open_cache(monkeypatch).logits(*pairs(0), silent)
    for path in teachers.FOLDER.iterdir():
        path.unlink()
    assert torch.equal(open_cache(monkeypatch).logits(*pairs(0), silent), said)


def test_another_teacher_has_another_store(monkeypatch: pytest.MonkeyPatch) -> None:
    open_cache(monkeypatch).logits(*pairs(0), silent)
    other = open_cache(monkeypatch, teacher="b")
    assert not other.store.look_up(*(part.numpy() for part in pairs(0)))[0].any()


def test_a_cut_file_is_one_line_that_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    path = open_cache(monkeypatch).store.path.with_suffix(".logits")
    os.truncate(path, 100)
    with pytest.raises(CellarError, match=rf"{path.name} was cut or is another's: remove"):
        open_cache(monkeypatch)


def test_a_full_disk_is_one_line_and_leaves_no_file(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int, offset: int, size: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full, raising=False)
    with pytest.raises(CellarError, match="No space left on device"):
        open_cache(monkeypatch)
    assert not [path for path in teachers.FOLDER.iterdir() if path.suffix != ".lock"]


class Job(multiprocessing.get_context("spawn").Process):  # type: ignore[name-defined,misc]
    """Opens the store as the tests do and asks for pairs(seed); one that is to die does so with its first claims unanswered."""

    def __init__(self, seed: int, dies: bool = False) -> None:
        super().__init__()
        self.seed, self.dies, self.forwarded = seed, dies, multiprocessing.get_context("spawn").Value("i", 0)

    def run(self) -> None:
        torch.set_num_threads(1)
        store = LogitStore({}, IMAGES, AUGMENTATION.count, CLASSES, "fp32", 1)
        CachedTeacher(FixedBatchTeacher(self.teacher, images(), AUGMENTATION, BATCH, "fp32"), store).logits(
            *pairs(self.seed), self.count
        )

    def teacher(self) -> nn.Module:
        if self.dies:
            os.kill(os.getpid(), signal.SIGKILL)
        return teacher()

    def count(self, batch: int) -> None:
        self.forwarded.value += batch


def done(jobs: list[Job]) -> list[int | None]:
    for job in jobs:
        job.start()
    for job in jobs:
        job.join(60)
    return [job.exitcode for job in jobs]


def assert_kept(seed: int) -> None:
    image, augmentation = pairs(seed)
    known, logits = LogitStore({}, IMAGES, AUGMENTATION.count, CLASSES, "fp32", 1).look_up(
        image.numpy(), augmentation.numpy()
    )
    assert known.all()
    np.testing.assert_array_equal(logits, on_the_fly(image, augmentation).numpy())


def test_concurrent_jobs_share_the_work() -> None:
    jobs = [Job(0), Job(0), Job(0)]
    assert done(jobs) == [0, 0, 0]
    assert sum(job.forwarded.value for job in jobs) == IMAGES
    assert_kept(0)


def test_what_a_killed_job_had_claimed_is_computed_by_another() -> None:
    assert done([Job(0, dies=True)]) == [-signal.SIGKILL]
    assert done([Job(0), Job(1)]) == [0, 0]
    assert_kept(0)
    assert_kept(1)


def test_the_claims_of_a_living_job_are_respected_and_of_a_dead_one_are_free() -> None:
    images, augmentations = np.arange(IMAGES), np.zeros(IMAGES, int)
    first, second = (LogitStore({}, IMAGES, AUGMENTATION.count, CLASSES, "fp32", 1) for _ in range(2))
    assert first.claim(images, augmentations, 30).tolist() == list(range(30))
    assert second.claim(images, augmentations, 30).tolist() == list(range(30, IMAGES))
    assert second.claim(images[:30], augmentations[:30], 30).size == 0
    first.alive.release()  # as the system does when a process ends
    assert second.claim(images[:30], augmentations[:30], 30).tolist() == list(range(30))


def test_a_stopped_job_is_not_waited_for_forever(monkeypatch: pytest.MonkeyPatch) -> None:
    image, augmentation = pairs(0)
    still = LogitStore({}, IMAGES, AUGMENTATION.count, CLASSES, "fp32", 1)
    still.claim(image.numpy(), augmentation.numpy(), IMAGES)
    store = LogitStore({}, IMAGES, AUGMENTATION.count, CLASSES, "fp32", 1)
    cache = CachedTeacher(FixedBatchTeacher(teacher, images(), AUGMENTATION, BATCH, "fp32"), store)
    monkeypatch.setattr(teachers, "PATIENCE", 0.1)
    assert torch.equal(cache.logits(image, augmentation, silent), on_the_fly(image, augmentation))


@pytest.mark.parametrize("name", ["resemotenet_b", "resnet18"])
def test_a_live_teacher_gives_logits_and_the_input_of_its_last_layer(name: str) -> None:
    """More pairs than a batch; without gradients, but usable in a graph."""
    torch.manual_seed(0)
    network = models.build(name, CLASSES).eval()
    live = FixedBatchTeacher(lambda: network, images(), AUGMENTATION, BATCH, "fp32")
    image, augmentation = pairs(1)
    output = forward_with_features(live, image, augmentation)
    assert torch.equal(output.logits, torch.cat(list(live.outputs(image, augmentation))))
    assert torch.allclose(last_layer(network)(output.features), output.logits, atol=1e-5)
    if name == "resnet18":
        inputs = AUGMENTATION.apply(images()[image], augmentation)
        assert torch.allclose(network.features(inputs), output.features, atol=1e-5)
    student = torch.ones_like(output.features, requires_grad=True)
    (student * output.features).sum().backward()
    assert torch.equal(student.grad, output.features) and not output.features.requires_grad


def test_live_outputs_need_no_store_and_hooks_do_not_stay() -> None:
    live = FixedBatchTeacher(teacher, images(), AUGMENTATION, BATCH, "fp32")
    cached = CachedTeacher(live, LogitStore({}, IMAGES, AUGMENTATION.count, CLASSES, "fp32", 0))
    image, augmentation = pairs(2, 5)
    assert torch.equal(cached.run(image, augmentation).logits, cached.logits(image, augmentation, silent))
    assert not last_layer(live.model)._forward_pre_hooks

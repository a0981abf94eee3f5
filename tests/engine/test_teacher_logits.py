"""The teacher's cached word is the teacher's word, bit for bit, whoever asks, when, and in whatever company."""

import multiprocessing
import os
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from cellar.engine.logit_store import LogitStore
from cellar.engine.teacher_logits import Asker, TeacherCache
from torch import Tensor, nn

from cellar import models
from cellar.data.augmentation.inputs import build_augmentation
from cellar.engine import logit_store, teacher_logits
from cellar.errors import CellarError

VIEWS = build_augmentation("crop_flip", "cifar100")
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
) -> TeacherCache:
    """A cache with room for `kept` images."""
    entry = CLASSES * {"fp32": 4, "fp16": 2}[storage] + 1
    monkeypatch.setattr(logit_store, "MB", kept * VIEWS.count * entry)
    store = LogitStore({"teacher": "a", **identity}, IMAGES, VIEWS.count, CLASSES, storage, 1)
    assert store.kept == min(kept, IMAGES)
    return TeacherCache(Asker(teacher, images(), VIEWS, BATCH, "fp32"), store)


def pairs(seed: int, n: int = IMAGES) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return torch.randperm(IMAGES, generator=generator)[:n], torch.randint(VIEWS.count, (n,), generator=generator)


def silent(_: int) -> None: ...


def on_the_fly(index: Tensor, view: Tensor) -> Tensor:
    return torch.cat(list(Asker(teacher, images(), VIEWS, BATCH, "fp32").batches(index, view)))


@pytest.mark.parametrize("kept", [WHOLE, SOME, 0])
def test_cached_equals_on_the_fly_bit_for_bit(kept: int, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = open_cache(monkeypatch, kept)
    for seed in range(4):  # epochs: random pairs, in an order, batches and company of their own
        index, view = pairs(seed)
        assert torch.equal(cache.ask(index, view, silent), on_the_fly(index, view))
    for size in (1, 3, 7):
        index, view = pairs(size, size)
        alone = torch.cat([on_the_fly(index[i : i + 1], view[i : i + 1]) for i in range(size)])
        assert torch.equal(cache.ask(index, view, silent), alone)


def test_a_pair_is_asked_once_by_whatever_process(monkeypatch: pytest.MonkeyPatch) -> None:
    first, again = open_cache(monkeypatch), open_cache(monkeypatch)
    index, view = pairs(0)
    told: list[int] = []
    said = first.ask(index, view, told.append)
    assert first.asker.forwarded == IMAGES == sum(told)
    assert torch.equal(again.ask(index, view, told.append), said)
    assert again.asker.forwarded == 0 and again.facts()["teacher_images_answered"] == IMAGES
    assert "teacher" not in vars(again.asker)  # not even built


def test_past_the_budget_the_teacher_is_asked_every_time(monkeypatch: pytest.MonkeyPatch) -> None:
    cache = open_cache(monkeypatch, SOME)
    for _ in range(3):
        cache.ask(*pairs(0), silent)
    assert cache.asker.forwarded == SOME + 3 * (IMAGES - SOME)


def test_fp16_rounds_and_rounds_alike_with_and_without_room(monkeypatch: pytest.MonkeyPatch) -> None:
    index, view = pairs(0)
    exact = on_the_fly(index, view)
    cached, uncached = (open_cache(monkeypatch, kept, "fp16") for kept in (WHOLE, 0))
    said = cached.ask(index, view, silent)
    assert torch.equal(said, exact.half().float()) and not torch.equal(said, exact)
    assert torch.equal(said, uncached.ask(index, view, silent))
    assert torch.equal(said, cached.ask(index, view, silent))
    assert cached.facts()["teacher_logits_rounding"] == pytest.approx(float((said - exact).abs().max()))


def test_deleting_the_cache_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    said = open_cache(monkeypatch).ask(*pairs(0), silent)
    for path in logit_store.FOLDER.iterdir():
        path.unlink()
    assert torch.equal(open_cache(monkeypatch).ask(*pairs(0), silent), said)


def test_another_teacher_has_another_store(monkeypatch: pytest.MonkeyPatch) -> None:
    open_cache(monkeypatch).ask(*pairs(0), silent)
    other = open_cache(monkeypatch, teacher="b")
    assert not other.store.look_up(*(part.numpy() for part in pairs(0)))[0].any()


def test_a_cut_file_is_one_line_that_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    path = open_cache(monkeypatch).store.path.with_suffix(".logits")
    os.truncate(path, 100)
    with pytest.raises(CellarError, match=rf"{path.name} was cut or is another's: remove"):
        open_cache(monkeypatch)


def test_a_full_disk_is_one_line_and_leaves_no_file(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int, size: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(logit_store, "reserve", full)
    with pytest.raises(CellarError, match="No space left on device"):
        open_cache(monkeypatch)
    assert not [path for path in logit_store.FOLDER.iterdir() if path.suffix != ".lock"]


class Job(multiprocessing.get_context("spawn").Process):  # type: ignore[name-defined,misc]
    """Opens the store as the tests do and asks for pairs(seed); one that is to die does so with its first claims unanswered."""

    def __init__(self, seed: int, dies: bool = False) -> None:
        super().__init__()
        self.seed, self.dies, self.forwarded = seed, dies, multiprocessing.get_context("spawn").Value("i", 0)

    def run(self) -> None:
        torch.set_num_threads(1)
        store = LogitStore({}, IMAGES, VIEWS.count, CLASSES, "fp32", 1)
        TeacherCache(Asker(self.teacher, images(), VIEWS, BATCH, "fp32"), store).ask(*pairs(self.seed), self.count)

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
    index, view = pairs(seed)
    known, logits = LogitStore({}, IMAGES, VIEWS.count, CLASSES, "fp32", 1).look_up(index.numpy(), view.numpy())
    assert known.all()
    np.testing.assert_array_equal(logits, on_the_fly(index, view).numpy())


def test_jobs_at_once_share_the_asking() -> None:
    jobs = [Job(0), Job(0), Job(0)]
    assert done(jobs) == [0, 0, 0]
    assert sum(job.forwarded.value for job in jobs) == IMAGES
    assert_kept(0)


def test_what_a_killed_job_had_claimed_is_asked_by_another() -> None:
    assert done([Job(0, dies=True)]) == [-signal.SIGKILL]
    assert done([Job(0), Job(1)]) == [0, 0]
    assert_kept(0)
    assert_kept(1)


def test_the_claims_of_one_that_lives_are_left_to_it_and_of_a_dead_one_are_free() -> None:
    images, views = np.arange(IMAGES), np.zeros(IMAGES, int)
    first, second = (LogitStore({}, IMAGES, VIEWS.count, CLASSES, "fp32", 1) for _ in range(2))
    assert first.claim(images, views, 30).tolist() == list(range(30))
    assert second.claim(images, views, 30).tolist() == list(range(30, IMAGES))
    assert second.claim(images[:30], views[:30], 30).size == 0
    first.alive.release()  # as the system does when a process ends
    assert second.claim(images[:30], views[:30], 30).tolist() == list(range(30))


def test_one_that_stands_still_is_not_waited_for_forever(monkeypatch: pytest.MonkeyPatch) -> None:
    index, view = pairs(0)
    still = LogitStore({}, IMAGES, VIEWS.count, CLASSES, "fp32", 1)
    still.claim(index.numpy(), view.numpy(), IMAGES)
    store = LogitStore({}, IMAGES, VIEWS.count, CLASSES, "fp32", 1)
    cache = TeacherCache(Asker(teacher, images(), VIEWS, BATCH, "fp32"), store)
    monkeypatch.setattr(teacher_logits, "PATIENCE", 0.1)
    assert torch.equal(cache.ask(index, view, silent), on_the_fly(index, view))

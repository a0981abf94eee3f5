"""The teacher's cached word is the teacher's word, bit for bit, whoever asks, when, and in whatever company."""

import multiprocessing
import os
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from cellar import logit_store, models
from cellar.errors import CellarError
from cellar.logit_store import LogitStore
from cellar.teacher_cache import Asker, TeacherCache
from cellar.views import view_set

VIEWS = view_set("crop_flip", "cifar100")
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
    assert not other.store.knows(*(part.numpy() for part in pairs(0))).any()


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


def fill(seed: int, kill_after: int | None) -> None:
    """One job: opens the store as the test did, asks, and kills itself in the middle if told to."""
    cache = TeacherCache(
        Asker(teacher, images(), VIEWS, BATCH, "fp32"), LogitStore({}, IMAGES, VIEWS.count, CLASSES, "fp32", 1)
    )
    batches: list[int] = []

    def advance(n: int) -> None:
        batches.append(n)
        if len(batches) == kill_after:
            os.kill(os.getpid(), signal.SIGKILL)

    cache.ask(*pairs(seed), advance)


def test_jobs_at_once_and_one_killed_leave_the_right_entries() -> None:
    spawn = multiprocessing.get_context("spawn")
    jobs = [spawn.Process(target=fill, args=job) for job in [(0, 1), (0, None), (1, None)]]
    for job in jobs:
        job.start()
    for job in jobs:
        job.join()
    assert [job.exitcode for job in jobs][1:] == [0, 0]
    store = LogitStore({}, IMAGES, VIEWS.count, CLASSES, "fp32", 1)
    for seed in (0, 1):
        index, view = pairs(seed)
        known = store.knows(index.numpy(), view.numpy())
        assert known.all()
        np.testing.assert_array_equal(store.read(index.numpy(), view.numpy(), known), on_the_fly(index, view).numpy())

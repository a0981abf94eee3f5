"""Cached outputs of a teacher equal those of a forward pass, bit for bit, whichever job computes them; live features.

All guarantees of a store hold for each content of its rows: logits, vectors, last maps.
"""

import hashlib
import io
import multiprocessing
import os
import signal
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from cellar import models
from cellar.data.inputs.augmentation import build_augmentation
from cellar.engine import output_store
from cellar.engine import teacher as teachers
from cellar.engine.activations import forward_with_features, last_layer
from cellar.engine.output_store import OutputStore
from cellar.engine.teacher import CachedTeacher, Content, FixedBatchTeacher
from cellar.errors import CellarError
from cellar.models.features import Features

AUGMENTATION = build_augmentation("crop_flip", "cifar100")
IMAGES, CLASSES, BATCH = 37, 7, 16
WHOLE, SOME = 64, 10  # images that fit, in the tests' budgets
NETWORK = "resnet20"
CONTENTS = {
    name: Content(name, shapes)
    for name, shapes in {
        "logits": ((CLASSES,),),
        "vector": ((CLASSES,), (64,)),
        "last_map": ((CLASSES,), (64,), (64, 4, 4)),
    }.items()
}


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture(params=CONTENTS)
def content(request: pytest.FixtureRequest) -> Content:
    return CONTENTS[request.param]


def images() -> Tensor:
    return torch.randint(256, (IMAGES, 1, 16, 16), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)


def teacher() -> nn.Module:
    torch.manual_seed(0)
    return models.build(NETWORK, CLASSES).to(memory_format=torch.channels_last)


def live() -> FixedBatchTeacher:
    return FixedBatchTeacher(teacher, images(), AUGMENTATION, BATCH, "fp32")


def open_store(content: Content, budget_mb: int = 64, storage: str = "fp32", **identity: Any) -> OutputStore:
    return OutputStore(identity, IMAGES, AUGMENTATION.count, content.width, storage, budget_mb, content.name)


def open_cache(
    monkeypatch: pytest.MonkeyPatch, content: Content, kept: int = WHOLE, storage: str = "fp32", **identity: Any
) -> CachedTeacher:
    """A cache with room for `kept` images."""
    entry = content.width * {"fp32": 4, "fp16": 2}[storage] + 1
    monkeypatch.setattr(output_store, "MB", kept * AUGMENTATION.count * entry)
    store = open_store(content, 1, storage, **{"teacher": "a", **identity})
    assert store.images == min(kept, IMAGES)
    return CachedTeacher(live(), store, content)


def pairs(seed: int, n: int = IMAGES) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return torch.randperm(IMAGES, generator=generator)[:n], torch.randint(AUGMENTATION.count, (n,), generator=generator)


def silent(_: int) -> None: ...


def on_the_fly(content: Content, image: Tensor, augmentation: Tensor) -> Tensor:
    """Rows of the content, of forward passes in full batches."""
    network = live()
    parts = range(0, len(image), BATCH)
    return torch.cat([content.compute(network, image[i : i + BATCH], augmentation[i : i + BATCH]) for i in parts])


@pytest.mark.parametrize("kept", [WHOLE, SOME, 0])
def test_cached_equals_on_the_fly_bit_for_bit(content: Content, kept: int, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = open_cache(monkeypatch, content, kept)
    for seed in range(3):  # epochs: random pairs, in an order, batches and company of their own
        image, augmentation = pairs(seed)
        assert torch.equal(cache.outputs(image, augmentation, silent), on_the_fly(content, image, augmentation))
    for size in (1, 3):
        image, augmentation = pairs(size, size)
        alone = torch.cat([on_the_fly(content, image[i : i + 1], augmentation[i : i + 1]) for i in range(size)])
        assert torch.equal(cache.outputs(image, augmentation, silent), alone)
        assert torch.equal(cache.logits(image, augmentation, silent), alone[:, :CLASSES])


def test_a_row_has_the_parts_of_the_networks_features_in_its_layout(content: Content) -> None:
    """Kernels give other bits for another layout of the same numbers."""
    image, augmentation = pairs(0, BATCH)
    wanted = live().features(image, augmentation)
    found = content.features(on_the_fly(content, image, augmentation)) if content.name != "logits" else None
    if found is None:
        assert torch.equal(on_the_fly(content, image, augmentation), wanted.logits)
        return
    maps = wanted.maps[-1:] if content.name == "last_map" else ()
    kept = Features(maps, (), wanted.vector, wanted.logits)
    assert len(found.maps) == len(kept.maps)
    for ours, theirs in zip((*found.maps, *found[2:]), (*kept.maps, *kept[2:]), strict=True):
        assert torch.equal(ours, theirs) and ours.stride() == theirs.stride()


def test_a_pair_is_computed_once_whichever_process_needs_it(content: Content, monkeypatch: pytest.MonkeyPatch) -> None:
    first, again = (open_cache(monkeypatch, content) for _ in range(2))
    image, augmentation = pairs(0)
    told: list[int] = []
    said = first.outputs(image, augmentation, told.append)
    assert first.network.images_forwarded == IMAGES == sum(told)
    assert torch.equal(again.outputs(image, augmentation, told.append), said)
    assert again.network.images_forwarded == 0 and again.facts()["teacher_images_answered"] == IMAGES
    assert "model" not in vars(again.network)  # not even built


def test_beyond_the_budget_outputs_are_computed_every_time(content: Content, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = open_cache(monkeypatch, content, SOME)
    for _ in range(3):
        cache.outputs(*pairs(0), silent)
    assert cache.network.images_forwarded == SOME + 3 * (IMAGES - SOME)


def test_fp16_rounds_and_rounds_alike_with_and_without_room(content: Content, monkeypatch: pytest.MonkeyPatch) -> None:
    image, augmentation = pairs(0)
    exact = on_the_fly(content, image, augmentation)
    cached, uncached = (open_cache(monkeypatch, content, kept, "fp16") for kept in (WHOLE, 0))
    said = cached.outputs(image, augmentation, silent)
    assert torch.equal(said, exact.half().float()) and not torch.equal(said, exact)
    assert torch.equal(said, uncached.outputs(image, augmentation, silent))
    assert torch.equal(said, cached.outputs(image, augmentation, silent))
    rounding = cached.facts()[f"teacher_{content.name}_rounding"]
    assert rounding == pytest.approx(float((said - exact).abs().max()))


def test_a_number_beyond_fp16_is_refused_before_it_is_stored(content: Content, monkeypatch: pytest.MonkeyPatch) -> None:
    def large(*arguments: Any) -> Tensor:
        return 1e5 * compute(*arguments)

    compute = Content.compute
    largest = float(1e5 * on_the_fly(content, *pairs(0)).abs().max())
    cache = open_cache(monkeypatch, content, storage="fp16")
    monkeypatch.setattr(Content, "compute", large)
    assert largest > 65_504
    name = content.name.replace("_", " ")
    with pytest.raises(
        CellarError, match=rf"of the teacher's {name} is .* fp16 holds at most 65,504; set storage: fp32"
    ):
        cache.outputs(*pairs(0), silent)
    assert not cache.store.look_up(*(part.numpy() for part in pairs(0)))[0].any()


def test_deleting_the_cache_changes_nothing(content: Content, monkeypatch: pytest.MonkeyPatch) -> None:
    said = open_cache(monkeypatch, content).outputs(*pairs(0), silent)
    for path in output_store.FOLDER.iterdir():
        path.unlink()
    assert torch.equal(open_cache(monkeypatch, content).outputs(*pairs(0), silent), said)


def test_another_teacher_has_another_store(content: Content, monkeypatch: pytest.MonkeyPatch) -> None:
    open_cache(monkeypatch, content).outputs(*pairs(0), silent)
    other = open_cache(monkeypatch, content, teacher="b")
    assert not other.store.look_up(*(part.numpy() for part in pairs(0)))[0].any()


def test_each_content_has_a_store_and_that_of_logits_has_its_old_name_and_layout() -> None:
    stores = {name: open_store(content, teacher="a") for name, content in CONTENTS.items()}
    assert len({store.path for store in stores.values()}) == len(CONTENTS)
    image, augmentation, entry = np.array([2]), np.array([5]), np.arange(CLASSES, dtype=np.float32)[None]
    stores["logits"].write(image, augmentation, entry)
    path = output_store.FOLDER / hashlib.sha256(b'[{"teacher": "a"}, 37, "fp32"]').hexdigest()[:32]
    row = 2 * AUGMENTATION.count + 5
    held = np.fromfile(path.with_suffix(".logits"), np.float32).reshape(IMAGES * AUGMENTATION.count, CLASSES)
    assert held[row].tolist() == entry[0].tolist() and np.count_nonzero(held) == CLASSES - 1
    assert np.flatnonzero(np.fromfile(path.with_suffix(".state"), np.uint8)).tolist() == [row]


def test_a_cut_file_is_one_line_that_names_it(content: Content, monkeypatch: pytest.MonkeyPatch) -> None:
    path = open_cache(monkeypatch, content).store.path.with_suffix(f".{content.name}")
    os.truncate(path, 100)
    with pytest.raises(CellarError, match=rf"{path.name} was cut or is another's: remove"):
        open_cache(monkeypatch, content)


def test_a_full_disk_is_one_line_and_leaves_no_file(content: Content, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int, offset: int, size: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full, raising=False)
    with pytest.raises(CellarError, match="No space left on device"):
        open_cache(monkeypatch, content)
    assert not [path for path in output_store.FOLDER.iterdir() if path.suffix != ".lock"]


def test_half_a_row_is_one_line_and_not_known(content: Content, monkeypatch: pytest.MonkeyPatch) -> None:
    """As where a disk ends whose space the system could not reserve."""
    store, rows = open_store(content), np.ones((2, content.width), np.float32)

    class Short(io.FileIO):
        def write(self, data: Any) -> int:
            return super().write(data[: len(data) // 2])

    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", lambda path, *mode, **options: Short(path, "r+"))
        with pytest.raises(CellarError, match="No space left on device"):
            store.write(np.arange(2), np.zeros(2, int), rows)
    assert not store.look_up(np.arange(2), np.zeros(2, int))[0].any()


def half(store: OutputStore, suffix: str, rows: np.ndarray, entries: np.ndarray) -> None:
    """Write states as the store does, and half of the first entry; then die."""
    if suffix == ".state":
        OutputStore.put(store, suffix, rows, entries)
    else:
        with store.path.with_suffix(suffix).open("r+b") as file:
            file.seek(int(rows[0]) * entries[0].nbytes)
            file.write(entries[0].tobytes()[: entries[0].nbytes // 2])
        os.kill(os.getpid(), signal.SIGKILL)


class Job(multiprocessing.get_context("spawn").Process):  # type: ignore[name-defined,misc]
    """Opens the store as the tests do and asks for pairs(seed); one that is to die does so with its first claims unanswered,
    or with half of its first row written."""

    def __init__(self, content: Content, seed: int, dies: str = "") -> None:
        super().__init__()
        self.content, self.seed, self.dies = content, seed, dies
        self.forwarded = multiprocessing.get_context("spawn").Value("i", 0)

    def run(self) -> None:
        torch.set_num_threads(1)
        store = open_store(self.content)
        if self.dies == "writing":
            store.put = partial(half, store)  # type: ignore[method-assign]
        network = FixedBatchTeacher(self.teacher, images(), AUGMENTATION, BATCH, "fp32")
        CachedTeacher(network, store, self.content).outputs(*pairs(self.seed), self.count)

    def teacher(self) -> nn.Module:
        if self.dies == "computing":
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


def assert_kept(content: Content, seed: int) -> None:
    image, augmentation = pairs(seed)
    known, rows = open_store(content).look_up(image.numpy(), augmentation.numpy())
    assert known.all()
    np.testing.assert_array_equal(rows, on_the_fly(content, image, augmentation).numpy())


PROCESSES = pytest.mark.parametrize("content", ["logits", "last_map"], indirect=True)  # the smallest and largest rows


@PROCESSES
def test_concurrent_jobs_share_the_work(content: Content) -> None:
    jobs = [Job(content, 0) for _ in range(3)]
    assert done(jobs) == [0, 0, 0]
    assert sum(job.forwarded.value for job in jobs) == IMAGES
    assert_kept(content, 0)


@PROCESSES
@pytest.mark.parametrize("dies", ["computing", "writing"])
def test_what_a_killed_job_had_claimed_is_computed_by_another(content: Content, dies: str) -> None:
    assert done([Job(content, 0, dies)]) == [-signal.SIGKILL]
    assert not open_store(content).look_up(*(part.numpy() for part in pairs(0)))[0].any()
    assert done([Job(content, 0), Job(content, 1)]) == [0, 0]
    assert_kept(content, 0)
    assert_kept(content, 1)


def test_the_claims_of_a_living_job_are_respected_and_of_a_dead_one_are_free(content: Content) -> None:
    images, augmentations = np.arange(IMAGES), np.zeros(IMAGES, int)
    first, second = open_store(content), open_store(content)
    assert first.claim(images, augmentations, 30).tolist() == list(range(30))
    assert second.claim(images, augmentations, 30).tolist() == list(range(30, IMAGES))
    assert second.claim(images[:30], augmentations[:30], 30).size == 0
    first.alive.release()  # as the system does when a process ends
    assert second.claim(images[:30], augmentations[:30], 30).tolist() == list(range(30))


def test_a_stopped_job_is_not_waited_for_forever(content: Content, monkeypatch: pytest.MonkeyPatch) -> None:
    image, augmentation = pairs(0)
    still = open_store(content)
    still.claim(image.numpy(), augmentation.numpy(), IMAGES)
    cache = CachedTeacher(live(), open_store(content), content)
    monkeypatch.setattr(teachers, "PATIENCE", 0.1)
    assert torch.equal(cache.outputs(image, augmentation, silent), on_the_fly(content, image, augmentation))


@pytest.mark.parametrize("name", ["resemotenet_b", "resnet18"])
def test_a_live_teacher_gives_logits_and_the_input_of_its_last_layer(name: str) -> None:
    """More pairs than a batch; without gradients, but usable in a graph."""
    torch.manual_seed(0)
    network = models.build(name, CLASSES).eval()
    run = FixedBatchTeacher(lambda: network, images(), AUGMENTATION, BATCH, "fp32")
    image, augmentation = pairs(1)
    output = forward_with_features(run, image, augmentation)
    assert torch.equal(output.logits, torch.cat(list(run.outputs(image, augmentation))))
    assert torch.allclose(last_layer(network)(output.features), output.logits, atol=1e-5)
    if name == "resnet18":
        inputs = AUGMENTATION.apply(images()[image], augmentation)
        assert torch.allclose(network.features(inputs), output.features, atol=1e-5)
    student = torch.ones_like(output.features, requires_grad=True)
    (student * output.features).sum().backward()
    assert torch.equal(student.grad, output.features) and not output.features.requires_grad


def test_hooks_do_not_stay() -> None:
    network = live()
    forward_with_features(network, *pairs(2, 5))
    assert not last_layer(network.model)._forward_pre_hooks

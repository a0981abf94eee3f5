"""The teacher's cached word is the teacher's word, bit for bit, whoever asks and in whatever company."""

from pathlib import Path

import pytest
import torch

from cellar import models, teacher_cache, views


@pytest.fixture
def images() -> torch.Tensor:
    return torch.randint(256, (37, 1, 16, 16), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)


@pytest.fixture
def teacher() -> torch.nn.Module:
    torch.manual_seed(0)
    return models.build("resemotenet_b", 7).eval().to(memory_format=torch.channels_last)


def test_cached_equals_on_the_fly_bit_for_bit(teacher: torch.nn.Module, images: torch.Tensor) -> None:
    cached = teacher_cache.fill(teacher, images, views.FLIP_VIEWS, 16, "fp32", lambda _: None)
    assert cached.shape == (37, 2, 7)
    generator = torch.Generator().manual_seed(1)
    for size in (1, 3, 7, 16):  # random (image, view) pairs, in batches of any length and company
        index = torch.randint(37, (size,), generator=generator)
        view = torch.randint(2, (size,), generator=generator)
        asked = teacher_cache.forward_padded(teacher, images[index], view, 16, "fp32")
        assert torch.equal(asked, cached[index, view])


def test_the_two_views_differ_and_the_second_is_the_mirror(teacher: torch.nn.Module, images: torch.Tensor) -> None:
    cached = teacher_cache.fill(teacher, images, 2, 16, "fp32", lambda _: None)
    mirrored = teacher_cache.fill(teacher, images.flip(-1), 2, 16, "fp32", lambda _: None)
    assert not torch.equal(cached[:, 0], cached[:, 1])
    assert torch.equal(cached[:, 0], mirrored[:, 1])


def test_deleting_the_cache_changes_nothing_and_a_hit_computes_nothing(
    teacher: torch.nn.Module, images: torch.Tensor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    calls: list[int] = []

    def compute() -> torch.Tensor:
        calls.append(1)
        return teacher_cache.fill(teacher, images, 2, 16, "fp32", lambda _: None)

    device = torch.device("cpu")
    first = teacher_cache.load_or_fill({"teacher": "a"}, compute, device)
    hit = teacher_cache.load_or_fill({"teacher": "a"}, compute, device)
    assert len(calls) == 1 and torch.equal(first, hit)
    teacher_cache.cache_path({"teacher": "a"}).unlink()
    assert torch.equal(first, teacher_cache.load_or_fill({"teacher": "a"}, compute, device))
    teacher_cache.load_or_fill({"teacher": "b"}, compute, device)
    assert len(calls) == 3

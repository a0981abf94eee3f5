"""A checkpoint that a disk has spoilt is named in one line; none is None. How often one is written."""

from pathlib import Path

import pytest
import torch

from cellar.engine.runtime import Checkpoint
from cellar.errors import CellarError

CPU = torch.device("cpu")


@pytest.mark.parametrize(
    "spoil", [lambda data: data[: len(data) // 2], lambda data: b"", lambda data: b"x" * len(data)]
)
def test_a_spoilt_checkpoint_is_one_line(spoil, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("cellar.engine.runtime.COST_SHARE", 1e9)
    checkpoint = Checkpoint({"run": 1})
    assert checkpoint.load(CPU) is None
    checkpoint.save({"model": {"w": torch.ones(9)}})
    assert checkpoint.load(CPU) is not None
    checkpoint.path.write_bytes(spoil(checkpoint.path.read_bytes()))
    with pytest.raises(CellarError, match="remove it, and the training begins anew") as caught:
        checkpoint.load(CPU)
    assert str(checkpoint.path) in str(caught.value) and str(caught.value).isprintable()


@pytest.mark.parametrize(("megabytes", "first"), [(0, 0), (40, 10), (960, 240)])
def test_the_first_checkpoint_waits_until_its_size_is_worth_it(
    megabytes: int, first: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At 200 MB a second, and 2 % of the time: 1 MB takes a quarter of a second of training."""
    clock = [100.0]
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("cellar.engine.runtime.time.monotonic", lambda: clock[0])
    monkeypatch.setattr("cellar.engine.runtime.torch.save", lambda state, file: file.write(b"state"))
    checkpoint = Checkpoint({"run": 1})
    half = torch.empty(megabytes * 500_000, dtype=torch.uint8, device="meta")
    state = {"model": {"w": half}, "optimizer": [half, (1, "of no size")]}
    while not checkpoint.path.exists():
        checkpoint.save(state)
        clock[0] += 1
    assert clock[0] - 101 == first


def test_a_slow_disk_makes_the_next_one_wait(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first takes 3 seconds, which are 2 % of 150."""
    clock = [100.0]
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("cellar.engine.runtime.time.monotonic", lambda: clock[0])
    monkeypatch.setattr(
        "cellar.engine.runtime.torch.save",
        lambda state, file: clock.__setitem__(0, clock[0] + 3) or file.write(b"state"),
    )
    checkpoint = Checkpoint({"run": 1})
    checkpoint.save({})
    for waited, written in ((149, False), (151, True)):
        checkpoint.remove()
        clock[0] = 103.0 + waited
        checkpoint.save({})
        assert checkpoint.path.exists() == written

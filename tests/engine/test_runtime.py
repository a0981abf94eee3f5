"""A checkpoint that a disk has spoilt is named in one line; none is None."""

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

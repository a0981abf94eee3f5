"""Whatever a weights file asks pickle to call, fill or build: its tensors are read, and nothing of it is run."""

import argparse
import os
import pickle
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from cellar.errors import CellarError
from cellar.models.checkpoint_files import weights


class Reduced:
    """Unpickling it creates a file, as each of the traps below does, by another opcode."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.target),)


class Born(Reduced):
    __reduce__ = object.__reduce__

    def __new__(cls, target: Path, *unpickled: str) -> "Born":
        if unpickled:
            target.mkdir()
        return super().__new__(cls)

    def __getnewargs__(self) -> tuple[Any, ...]:
        return self.target, "unpickled"


class Built(Reduced):
    __reduce__ = object.__reduce__

    def __setstate__(self, state: dict[str, Path]) -> None:
        state["target"].mkdir()


class Appended(list[Any]):
    def __init__(self, *targets: Path) -> None:
        super().__init__(targets)

    def __reduce__(self) -> tuple[Any, ...]:
        return Appended, (), None, iter(self)

    def append(self, target: Path) -> None:
        target.mkdir()

    def extend(self, targets: Iterable[Path]) -> None:
        for target in targets:
            target.mkdir()


class Assigned(Reduced):
    def __reduce__(self) -> tuple[Any, ...]:
        return Assigned, (self.target,), None, None, iter([(self.target, 1)])

    def __setitem__(self, target: Path, value: int) -> None:
        target.mkdir()


TRAPS: dict[str, Callable[[Path], Any]] = {
    "REDUCE": Reduced,
    "NEWOBJ": Born,
    "BUILD": Built,
    "APPEND": Appended,
    "SETITEM": Assigned,
}

BOTH_FORMATS = pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])

STATE = {"w": torch.arange(4.0), "b": torch.arange(3)}


def refusal(path: Path) -> str:
    """The one line that `path` is refused with."""
    with pytest.raises(CellarError) as caught:
        weights.read_candidates(path)
    line = str(caught.value)
    assert str(path) in line and "\n" not in line
    return line


def springs(trap: Any, target: Path) -> bool:
    pickle.loads(pickle.dumps(trap, 2))
    return target.exists()


@BOTH_FORMATS
@pytest.mark.parametrize("name", TRAPS)
def test_a_hostile_object_beside_the_weights_is_skipped_and_not_run(name: str, zipped: bool, tmp_path: Path) -> None:
    path, target = tmp_path / "model.pth", tmp_path / "created"
    trap = TRAPS[name](target)
    content = {"first": trap, "model": STATE, "opt": argparse.Namespace(trap=trap)}
    torch.save(content, path, _use_new_zipfile_serialization=zipped)
    found = weights.read_candidates(path)[0].state
    assert found.keys() == STATE.keys() and all(torch.equal(found[key], STATE[key]) for key in STATE)
    assert not target.exists()
    assert springs(trap, target)


@BOTH_FORMATS
@pytest.mark.parametrize("name", TRAPS)
@pytest.mark.parametrize("place", ["top", "alone", "state dict"])
def test_a_hostile_object_for_the_weights_is_refused_and_not_run(
    name: str, place: str, zipped: bool, tmp_path: Path
) -> None:
    path, target = tmp_path / "model.pth", tmp_path / "created"
    trap = TRAPS[name](target)
    contents = {
        "top": trap,
        "alone": {"model": trap, "epoch": 240},
        "state dict": {"model": {**STATE, "fc4.weight": trap}},
    }
    torch.save(contents[place], path, _use_new_zipfile_serialization=zipped)
    assert "would have to execute" in refusal(path)
    assert not target.exists()
    assert springs(trap, target)


def test_a_hostile_name_of_a_weight_is_refused_and_not_run(tmp_path: Path) -> None:
    path, target = tmp_path / "model.pth", tmp_path / "created"
    torch.save({"model": {**STATE, Reduced(target): torch.zeros(1)}}, path)
    assert "holds no state dict" in refusal(path)
    assert not target.exists()


def test_a_bare_pickle_is_refused_and_not_run(tmp_path: Path) -> None:
    path, target = tmp_path / "model.pth", tmp_path / "created"
    path.write_bytes(pickle.dumps({"model": STATE, "opt": Reduced(target)}))
    assert "is a pickle with tensors of PyTorch, not a file of torch.save" in refusal(path)
    path.write_bytes(pickle.dumps({"opt": Reduced(target)}))
    assert f"names {os.mkdir.__module__}.mkdir" in refusal(path)
    assert not target.exists()


@pytest.mark.filterwarnings("ignore:.*torch.jit:FutureWarning", "ignore:.*torch.jit:DeprecationWarning")
def test_a_torchscript_archive_is_not_run(tmp_path: Path) -> None:
    torch.jit.trace(nn.Linear(2, 2), torch.zeros(1, 2)).save(tmp_path / "some.pth")
    assert "TorchScript program" in refusal(tmp_path / "some.pth")

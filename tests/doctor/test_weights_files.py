"""doctor on weights files that params.yaml names: what they are, and whether they fit, from names and shapes alone."""

import time
from pathlib import Path
from typing import Any

import pytest
import torch

from cellar import config, models
from cellar.doctor import weights_files
from cellar.doctor.data_sets import Extent
from cellar.doctor.finding import Finding
from tests.doctor.test_doctor import STUDY, change, project  # noqa: F401  # a fixture

TEACHER = f"studies.{STUDY}.teachers.fer2013.weights"
EXTENTS = {"fer2013": Extent(70, 48 * 48, 7)}
PATIENT = 60.0


def save(content: Any, name: str = "best.pth") -> None:
    """The file that the teacher of FER2013 is given."""
    change("studies", STUDY, "teachers", "fer2013", "weights", value=name)
    torch.save(content, name)


def findings(monkeypatch: pytest.MonkeyPatch, patience: float = PATIENT) -> dict[str, Finding]:
    monkeypatch.setattr(weights_files, "PATIENCE", patience)
    chosen = config.load()
    return {found.topic: found for found in weights_files.start(chosen).findings(chosen, EXTENTS)}


@pytest.fixture
def state(project: Path) -> dict[str, torch.Tensor]:  # noqa: F811
    torch.manual_seed(0)
    return models.build("resemotenet", 7).state_dict()


def test_a_file_that_fits_and_one_that_does_not(
    state: dict[str, torch.Tensor], monkeypatch: pytest.MonkeyPatch
) -> None:
    save({"model_state_dict": {f"module.{name}": value for name, value in state.items()}})
    assert findings(monkeypatch)[TEACHER] == Finding("ok", TEACHER, "best.pth fits resemotenet by its names and shapes")
    save(models.build("resemotenet_c", 7).state_dict())
    found = findings(monkeypatch)[TEACHER]
    assert found.state == "bad" and found.what.startswith("best.pth does not fit the network: conv1.weight is (")
    assert found.do == "give a file of the same network, or name that network in params.yaml"


def test_a_file_of_another_kind_is_told_without_torch(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    save({})
    Path("best.pth").write_text("<!DOCTYPE html>")
    found = findings(monkeypatch, patience=0)[TEACHER]
    assert found.state == "bad" and found.what.startswith("best.pth is a web page")
    assert found.do == "download the file itself with a browser"


def test_what_takes_too_long_is_not_claimed(state: dict[str, torch.Tensor], monkeypatch: pytest.MonkeyPatch) -> None:
    save(state)
    begun = time.monotonic()
    found = findings(monkeypatch, patience=0.2)[TEACHER]
    assert (
        found.state == "ok" and found.what == "best.pth is here; there was no time to see whether it fits resemotenet"
    )
    assert time.monotonic() - begun < 2


def test_no_number_of_a_large_file_is_read(state: dict[str, torch.Tensor], monkeypatch: pytest.MonkeyPatch) -> None:
    """A file whose numbers are spoilt has its names and shapes still."""
    save(state)
    whole = Path("best.pth").read_bytes()
    numbers = state["conv1.weight"].numpy().tobytes()
    assert whole.count(numbers) == 1
    Path("best.pth").write_bytes(whole.replace(numbers, bytes(len(numbers))))
    assert findings(monkeypatch)[TEACHER].state == "ok"


def test_files_that_nothing_names_start_no_process(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    chosen = config.load()
    look = weights_files.start(chosen)
    assert look.process is None and not list(look.findings(chosen, EXTENTS))

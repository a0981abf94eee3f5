"""What a training resumes from: its own state alone, whole, and made on the same type of processor. How often it is written."""

from pathlib import Path
from typing import Any

import pytest
import torch

from cellar import files
from cellar.config.resolved import TrainingSettings
from cellar.engine import setup, training
from cellar.engine.checkpoint import Checkpoint, epochs_of
from cellar.errors import CellarError
from tests.engine.tiny import RECIPE, settings_of, tiny_set

CPU = torch.device("cpu")


@pytest.mark.parametrize(
    "spoil", [lambda data: data[: len(data) // 2], lambda data: b"", lambda data: b"x" * len(data)]
)
def test_a_spoilt_checkpoint_is_one_line(spoil, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("cellar.engine.checkpoint.COST_SHARE", 1e9)
    checkpoint = Checkpoint("1")
    assert checkpoint.load(CPU) is None
    checkpoint.save({"model": {"w": torch.ones(9)}, "processors": []})
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
    monkeypatch.setattr("cellar.engine.checkpoint.time.monotonic", lambda: clock[0])
    monkeypatch.setattr("cellar.engine.checkpoint.torch.save", lambda state, file: file.write(b"state"))
    checkpoint = Checkpoint("1")
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
    monkeypatch.setattr("cellar.engine.checkpoint.time.monotonic", lambda: clock[0])
    monkeypatch.setattr(
        "cellar.engine.checkpoint.torch.save",
        lambda state, file: clock.__setitem__(0, clock[0] + 3) or file.write(b"state"),
    )
    checkpoint = Checkpoint("1")
    checkpoint.save({})
    for waited, written in ((149, False), (151, True)):
        checkpoint.remove()
        clock[0] = 103.0 + waited
        checkpoint.save({})
        assert checkpoint.path.exists() == written


@pytest.fixture
def saved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The identity of a state that was written after two epochs on the processor `old`."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("cellar.engine.checkpoint.COST_SHARE", 1e9)
    identity = {"recipe": {"epochs": 80, "learning_rate": 0.001}, "files": {"src/cellar/engine": "a" * 64}}
    Checkpoint("students/E1/seed-0", identity, "old").save({"history": [1, 2], "processors": ["old", "old"]})
    return identity


def test_the_same_training_resumes(saved: dict[str, Any]) -> None:
    state = Checkpoint("students/E1/seed-0", saved, "old").load(CPU)
    assert state == {"history": [1, 2], "processors": ["old", "old"]}


def test_another_run_has_another_checkpoint(saved: dict[str, Any]) -> None:
    assert Checkpoint("students/E1/seed-1", saved, "old").load(CPU) is None


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"recipe": {"epochs": 80, "learning_rate": 0.01}}, "recipe.learning_rate was 0.001, is 0.01"),
        ({"recipe": {"epochs": 80}}, "recipe.learning_rate was 0.001, is None"),
        ({"files": {"src/cellar/engine": "b" * 64}}, "src/cellar/engine has changed"),
        ({"threads": 2}, "threads was None, is 2"),
    ],
)
def test_other_settings_or_code_are_refused_with_the_difference(
    saved: dict[str, Any], changed: dict[str, Any], reason: str
) -> None:
    checkpoint = Checkpoint("students/E1/seed-0", saved | changed, "old")
    with pytest.raises(CellarError) as caught:
        checkpoint.load(CPU)
    words = str(caught.value)
    assert words.startswith("students/E1/seed-0: ") and f"settings or code: {reason}. " in words
    assert f"rm {checkpoint.path}" in words and checkpoint.path.exists() and words.isprintable()


def test_another_type_of_processor_is_refused_unless_asked_for(
    saved: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoint = Checkpoint("students/E1/seed-0", saved, "new")
    with pytest.raises(CellarError, match=r"epochs 1 to 2 ran on old; here is new, .* CELLAR_OTHER_PROCESSOR=resume"):
        checkpoint.load(CPU)
    monkeypatch.setenv("CELLAR_OTHER_PROCESSOR", "resume")
    assert checkpoint.load(CPU) is not None


def test_which_epochs_ran_where_is_told_in_their_order() -> None:
    processors = ["old"] * 12 + ["new"] + ["old"] * 2
    assert epochs_of(processors) == "epochs 1 to 12 ran on old, 13 on new, 14 to 15 on old"


def test_code_that_is_edited_meanwhile_is_named_and_put_back_the_training_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("cellar.engine.checkpoint.COST_SHARE", 1e9)  # a checkpoint after every epoch, however short
    tiny_set("tiny")
    code, train_epoch = Path("studies/mine/loss.py"), training.train_epoch
    files.write_text(code, "WEIGHT = 1\n")

    def edited(*arguments: Any) -> Any:
        code.write_text("WEIGHT = 2\n")
        return train_epoch(*arguments)

    settings = TrainingSettings.model_validate(settings_of("teachers", "teacher"))
    with monkeypatch.context() as patch:
        patch.setattr(training, "train_epoch", edited)
        with pytest.raises(CellarError, match=f"^{code} was changed while this stage ran; put it back, then run again"):
            setup.run(settings, [str(code)])
    code.write_text("WEIGHT = 1\n")
    facts = setup.run(settings, [str(code)])
    assert facts and (facts["resumed_from_epoch"], facts["images_trained"]) == (RECIPE["epochs"], 0)

"""What all evaluations share: the test split is read here, once a stage, and nowhere else but to be watched."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pandas as pd
import torch
from torch import nn

from cellar import config as parameters
from cellar import files, paths
from cellar.config import Line, Params
from cellar.data import prepared
from cellar.data.image_set import ImageSet
from cellar.engine import devices, run_record
from cellar.engine.inference import Split, open_split
from cellar.metrics import from_predictions
from cellar.models.checkpoint_files import weights

Arrays = dict[str, np.ndarray]


@dataclass(frozen=True)
class Room:
    """Where an exam takes place: a line, the images of its data set, a device."""

    line: Line
    params: Params
    image_set: ImageSet
    device: torch.device

    def split(self, name: str) -> Split:
        """Splits are contiguous in a prepared set."""
        rows = np.flatnonzero(self.image_set.split == name)
        wanted = self.params.input_of(self.line)
        return open_split(self.image_set, slice(int(rows[0]), int(rows[-1]) + 1), wanted, self.device)


class Exam(Protocol):
    """What a model is asked on the test images; `once` is asked of the chosen weights alone."""

    def build(self) -> nn.Module: ...

    def answers(self, model: nn.Module) -> Arrays: ...

    def once(self, model: nn.Module) -> Arrays: ...

    def key(self) -> Arrays:
        """What the answers are compared with."""
        ...


class OpenExam(Protocol):
    def __call__(self, room: Room) -> Exam: ...


def evaluate(
    kind: str, key: str, line: Line, seed: int, open_exam: OpenExam, inputs: Sequence[Path] = (), **said: Any
) -> None:
    """Keep the answers of the chosen weights and of the last epoch's, and the metrics that follow from them.

    `said` stands in the metrics file too.
    """
    params = parameters.load()
    device = devices.prepare(params.threads)
    folder, trained, data = (
        paths.predictions(kind, key, seed),
        paths.trained(kind, key, seed),
        paths.prepared(line.dataset),
    )
    read = [
        data / "arrays.npz",
        *(trained / name for name in ("weights.safetensors", "last.safetensors", "history.csv")),
    ]
    outputs = [folder / "predictions.npz", paths.metrics(kind, key, seed)]
    facts = {"seed": seed, "threads": params.threads, "device": device.type, "device_name": devices.name(device)}
    settings = {"model": line.model, **params.input_of(line)}
    with run_record.record(folder / "run.json", [*read, *inputs], outputs, settings, **facts):
        room = Room(line, params, prepared.load(data), device)
        exam = open_exam(room)

        def with_weights(path: Path) -> nn.Module:
            model = exam.build()
            weights.load_weights(model, path)
            return devices.place(model, device)

        chosen = with_weights(read[1])
        answers = exam.answers(chosen)
        same = run_record.content_hash(read[1]) == run_record.content_hash(read[2])
        last = answers if same else exam.answers(with_weights(read[2]))
        kept = answers | {f"last_{name}": value for name, value in last.items()} | exam.once(chosen) | exam.key()
        files.write_arrays(outputs[0], **kept)
        head = {"dataset": line.dataset, "model": line.model, **training_facts(read[3]), **said}
        files.write_json(outputs[1], {**head, **from_predictions.grade(kept, room.image_set.classes)})


def training_facts(history: Path) -> dict[str, Any]:
    """Which epoch was chosen, of how many, and its validation scores; nothing for imported weights."""
    rows = pd.read_csv(history)
    if rows.empty:
        return {"epoch": None, "epochs_run": None, "validation_accuracy": None}
    chosen = rows[rows["chosen"] == 1].iloc[0]
    facts = {
        "epoch": int(chosen["epoch"]),
        "epochs_run": len(rows),
        "validation_accuracy": known(chosen["validation_accuracy"]),
    }
    if "validation_r2" in rows:
        facts["validation_r2"] = known(chosen["validation_r2"])
    return facts | (best_on_test(rows) if "test_accuracy" in rows else {})


def best_on_test(rows: pd.DataFrame) -> dict[str, Any]:
    """The epoch that a choice on the test images would have taken, as the small-dataset study's was: by F1."""
    watched = [name for name in ("accuracy", "f1", "precision", "recall") if f"test_{name}" in rows]
    best = rows.iloc[int(rows[f"test_{'f1' if 'f1' in watched else 'accuracy'}"].argmax())]
    return {"best_on_test": {"epoch": int(best["epoch"]), **{name: known(best[f"test_{name}"]) for name in watched}}}


def known(value: float) -> float | None:
    """None where nothing was held out to validate on."""
    return None if math.isnan(value) else round(float(value), 4)

"""A project that has every file a figure reads, written by hand."""

import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pytest
import yaml
from matplotlib.figure import Figure

from cellar import config, figures, files, paths, studies
from cellar.config import Config
from cellar.data.faces import EMOTIONS
from cellar.data.inputs import prepared
from cellar.data.inputs.prepared import ImageSet
from cellar.metrics import classification
from tests.scores import write_scores
from tests.table_project import MINI, put_studies

COLUMNS = "epoch,train_loss,task_loss,distill_loss,validation_loss,validation_accuracy,learning_rate,chosen"
OBJECTS = tuple(f"object_{i}" for i in range(100))
EPOCHS, STEPS = 4, 3  # of every run, an epoch

Raw = dict[str, Any]
Load = Callable[[], Config]


@pytest.fixture(scope="session")
def figure_template(shipped: Raw, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project of the shipped params.yaml, written once; tests work in copies."""
    folder = tmp_path_factory.mktemp("figures")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        write_project(shipped)
    return folder


@pytest.fixture
def load(figure_template: Path, raw: Raw, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Load:
    """Reads `raw` as the params.yaml of a copy; spoil `raw` first. Its files are links: replace them, never write in place."""
    shutil.copytree(figure_template, tmp_path, dirs_exist_ok=True, copy_function=os.link)
    monkeypatch.chdir(tmp_path)
    return lambda: save(raw)


def write_project(raw: Raw) -> None:
    put_studies()
    studies.known()  # compiles them, once for all copies
    write_images("fer2013", (48, 48), EMOTIONS)
    write_images("raf_db", (100, 100, 3), EMOTIONS)
    write_images("cifar100", (32, 32, 3), OBJECTS)
    write_images("pins", (64, 64, 3), OBJECTS[:7])
    for dataset in ("fer2013", "raf_db", "cifar100", "pins"):
        write_pairs(dataset, ["0,validation,a,14,test,b,near,3,0.97,0", "1,validation,a,2,validation,a,exact,0,1.0,1"])
    for key in ("fer2013-E1", "fer2013-E4", "fer2013-E6"):
        write_metrics(f"{MINI}/{key}", raw["studies"][MINI]["experiments"][key]["model"])
    for study in raw["studies"]:
        write_trainings(study, raw["studies"][study])
    for params in save(raw).all_params():
        for sweep, grid in params.sweeps.items():
            for n, key in enumerate(grid.experiments(sweep)):
                write_point(f"{params.study}/{key}", 40 + n, 60 - n)


def write_trainings(study: str, sections: Raw) -> None:
    """Histories and losses of all teachers and experiments of a study."""
    for kind, section in (("teachers", "teachers"), ("students", "experiments")):
        for start, (key, line) in enumerate(sections[section].items()):
            held_out = sections["recipes"][line["recipe"]].get("train_on", "train") == "train"
            for seed in line.get("seeds", [0]):
                place = key if kind == "teachers" else f"{study}/{key}"
                write_history(kind, place, start, seed, held_out)
                write_losses(kind, place, seed)


def save(raw: Raw) -> Config:
    files.write_text(Path("params.yaml"), yaml.safe_dump(raw, sort_keys=False))
    return config.load()


def write_images(dataset: str, shape: tuple[int, ...], classes: tuple[str, ...]) -> None:
    """Four images a class, two of each split but train; image i is one shade, 20 + i."""
    labels = np.tile(np.arange(len(classes)), 4).astype(np.int64)
    split = np.repeat(["validation", "test"], 2 * len(classes))
    shades = (20 + np.arange(len(labels))).astype(np.uint8).reshape(-1, *[1] * len(shape))
    images = np.broadcast_to(shades, (len(labels), *shape))
    prepared.save(ImageSet(images, labels, split, classes), paths.prepared(dataset), dataset, dataset)


def write_pairs(dataset: str, lines: Sequence[str]) -> None:
    """What an audit writes, a line a pair."""
    head = "first,first_split,first_class,second,second_split,second_class,kind,distance,likeness,group"
    files.write_text(paths.audit_pairs(dataset), "\n".join([head, *lines]) + "\n")


def write_metrics(place: str, model: str) -> None:
    """Happy: 3 right, 1 taken for fear; every other class one image, right. 9 of 10."""
    labels = np.array([0, 0, 0, 0, 1, 2, 3, 4, 5, 6])
    named = np.array([0, 0, 0, 5, 1, 2, 3, 4, 5, 6])
    scores = classification.from_logits(np.eye(len(EMOTIONS), dtype=np.float32)[named] * 5, labels, EMOTIONS)
    write_scores("students", place, 0, {"dataset": "fer2013", "model": model, **scores})


def write_point(place: str, accuracy: float, validation: float | None) -> None:
    """What a heat map reads of a point of a sweep."""
    scores = {"accuracy": accuracy, "validation_accuracy": validation}
    files.write_json(paths.metrics("students", place, 0), scores)


def write_history(kind: str, place: str, start: int, seed: int = 0, held_out: bool = True) -> None:
    """The learning rate falls after two epochs; without validation images their columns are empty."""
    rows = [
        f"{e},{2 / e:.6f},2,0,{'2' if held_out else ''},{10 + start + 5 * e if held_out else ''},{0.1 if e < 3 else 0.02},0"
        for e in range(1, EPOCHS + 1)
    ]
    files.write_text(paths.trained(kind, place, seed) / "history.csv", "\n".join([COLUMNS, *rows]) + "\n")


def write_losses(kind: str, place: str, seed: int) -> None:
    """Step i of seed s: 12 - i + s."""
    loss = (EPOCHS * STEPS - np.arange(EPOCHS * STEPS) + seed).astype(np.float32)
    files.write_arrays(paths.trained(kind, place, seed) / "losses.npz", loss=loss)


def draw(figure: str, config: Config) -> Figure:
    """A figure by its id, as `cellar plot` draws it."""
    return figures.catalogue(config)[figure].draw()


def inputs(figure: str, config: Config) -> list[str]:
    return figures.catalogue(config)[figure].inputs()


def known(config: Config, sweep: bool) -> list[str]:
    """The heat maps of sweeps, or all other figures."""
    return [entry.id for entry in figures.catalogue(config).values() if entry.sweep == sweep]


def texts(drawn: Any) -> str:
    """Everything that is written in a figure."""
    return "\n".join(text.get_text() for text in drawn.findobj(matplotlib.text.Text))


def picture(figure: str) -> Path:
    return paths.FIGURES / f"{figure}.png"

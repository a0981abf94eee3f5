"""A fabricated project: every file that tables read, written by hand, without a picture or a training.

Its params.yaml is the one shipped, plus `pets`, a data set of the user's own whose students have three seeds.
"""

import os
import shutil
import zlib
from collections.abc import Callable, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from cellar import config as params
from cellar import files, paths, studies, tables
from cellar.config import Params
from cellar.metrics import classification
from cellar.tables.cells import Cell, Table

ROOT = Path(__file__).parents[1]
FACES = ["happy", "surprise", "sad", "anger", "disgust", "fear", "neutral"]
N = 40  # test images of every fabricated run
PARAMETERS = {
    "resemotenet": 80238599,
    "resemotenet_a": 20069383,
    "resemotenet_b": 5022215,
    "resemotenet_c": 1259911,
    "resnet32x4": 7433860,
    "cnn4": 799652,
    "convnet9": 17625833,
    "resnet50_vggface2": 23723177,
    "resnet18": 11230377,
    "inception_v3": 24639154,
    "mobilenet_v1": 3314601,
    "torchvision:resnet34(7)": 21288263,
    "torchvision:vgg19_bn(7)": 139609927,
    "torchvision:vit_l_16(1000)": 304326632,
}
PETS = {
    "datasets": {"enabled": True, "layout": "image_folder", "path": "data/raw/pets", "input_size": 48, "augmentation": "flip", "normalisation": "imagenet",
                 "source": {"manual": "put one folder a class here"}},
    "teachers": {"dataset": "pets", "model": "resemotenet", "recipe": "teacher"},
}  # fmt: skip
PET_STUDENT = {"dataset": "pets", "model": "resemotenet_b", "recipe": "student_a", "seeds": [0, 1, 2]}
TAUGHT = {"teacher": "pets", "temperature": 3, "task_weight": 0.2, "distill_weight": 0.8, "loss_form": "weighted"}

Raw = dict[str, Any]


class Project:
    """The folder that is the current one; `raw` is its params.yaml as plain data, to be spoiled."""

    def __init__(self, raw: Raw) -> None:
        self.raw = raw
        self.written: tuple[Raw, Params] | None = None

    def params(self) -> Params:
        """`raw` as params.yaml, read back; written anew only after a change, for reading takes its time."""
        if self.written is None or self.written[0] != self.raw:
            files.write_text(Path("params.yaml"), yaml.safe_dump(self.raw, sort_keys=False))
            self.written = deepcopy(self.raw), params.load()
        return self.written[1]

    def build(self, table: str) -> Table:
        return tables.build(table, self.params())

    def cell(self, table: str, row: str, column: str) -> Cell:
        found = {one.id: one for one in self.build(table).rows}
        return found[row].cells[column]

    def real(self) -> None:
        """Say that this is the paper's own scale, on photographs."""
        self.raw["scale"] = {"name": "paper", "drawn": False, "note": "the paper's recipe on its data"}

    def evaluate(
        self, key: str, right: int | Sequence[bool] | None = None, *, seed: int = 0, n: int = N, kind: str = "students",
        first: int = 0, validation: float | None = 50.0,
    ) -> None:  # fmt: skip
        """Fabricate what evaluating writes: `right` images (which, or how many) are named rightly, None: any.

        `validation` is the accuracy on validation images; there is none where the recipe trains on them.
        """
        params = self.params()
        line = params.teacher(key) if kind == "teachers" else params.experiment(key)
        if params.recipes[line.recipe].train_on == "train_and_validation":
            validation = None
        random = np.random.default_rng(zlib.crc32(f"{kind}/{key}/{seed}".encode()))
        labels = random.integers(0, len(FACES), n)
        logits, last = (random.normal(size=(n, len(FACES))).astype(np.float32) for _ in range(2))
        if right is not None:
            hits = np.arange(n) < right if isinstance(right, int) else np.array(right)
            logits[np.arange(n), labels] = np.where(hits, 9, -9)
        write_evaluation(kind, key, seed, line.dataset, line.model, logits, last, labels, first, validation)


def write_evaluation(
    kind: str, key: str, seed: int, dataset: str, model: str, logits: np.ndarray, last: np.ndarray, labels: np.ndarray,
    first: int, validation: float | None,
) -> None:  # fmt: skip
    index = np.arange(first, first + len(labels))
    folder = paths.predictions(kind, key, seed)
    files.write_arrays(folder / "predictions.npz", logits=logits, last_logits=last, labels=labels, index=index)
    head = {"dataset": dataset, "model": model, "epoch": 3, "epochs_run": 6, "validation_accuracy": validation}
    scores, last_scores = (classification.from_logits(one, labels, FACES) for one in (logits, last))
    last_epoch = {name: last_scores[name] for name in ("accuracy", "loss")}
    files.write_json(paths.metrics(kind, key, seed), {**head, **scores, "last_epoch": last_epoch})


def write_costs(dataset: str, model: str) -> None:
    """Times that depend on the model's size, so that no two columns agree."""
    unit = PARAMETERS[model] / 1e7
    latency = {
        str(batch): {
            "median_ms_per_batch": batch * unit,
            "p95_ms_per_batch": batch * unit * 2,
            "median_ms_per_image": unit,
        }
        for batch in (1, 64)
    }
    latency["1"]["median_ms_per_image"] = 3 * unit
    found = {"model": model, "dataset": dataset, "protocol": "eval mode, one by one", "latency": latency}
    files.write_json(paths.costs(dataset, model), {**found, "peak_memory_mb": 10 * unit})


def write_counts() -> None:
    counted = {
        name: {"parameters": n, "buffers": 1, "mb_decimal": round(n * 4 / 1e6, 2), "mb_binary": round(n * 4 / 2**20, 2)}
        for name, n in PARAMETERS.items()
    }
    files.write_json(paths.MODEL_COUNTS, counted)


def write_manifests() -> None:
    """Happy has 11, 21, 31 images in train, validation, test; each later class one more."""
    starts = {"train": 11, "validation": 21, "test": 31}
    counts = {split: {name: start + i for i, name in enumerate(FACES)} for split, start in starts.items()}
    for dataset in ("fer2013", "raf_db"):
        files.write_json(paths.prepared(dataset) / "manifest.json", {"dataset": dataset, "counts": counts})
    write_objects(train=18, validation=2, test=10)


def write_objects(**images: int) -> None:
    """CIFAR-100's manifest: so many images of each of the 100 classes in each split."""
    objects = [f"object_{i}" for i in range(100)]
    head = {"dataset": "cifar100", "layout": "cifar100", "classes": objects, "image_shape": [32, 32, 3]}
    counts = {split: dict.fromkeys(objects, n) for split, n in images.items()}
    files.write_json(paths.prepared("cifar100") / "manifest.json", {**head, "counts": counts})


def write_audit(dataset: str, pairs: Sequence[tuple[int, str, int, str]] = (), placeholders: bool = True) -> None:
    """What an audit writes: exact pairs of (row, split, row, split), each a group; 30, 4 and 40 images."""
    head = "first,first_split,first_class,second,second_split,second_class,kind,distance,likeness,group"
    lines = [f"{a},{of_a},happy,{b},{of_b},sad,exact,0,1.0,{a}" for a, of_a, b, of_b in pairs]
    files.write_text(paths.audit_pairs(dataset), "\n".join([head, *lines]) + "\n")
    content = {"nearly_constant": {"count": 2, "rows": [3, 5]}} | (
        {"placeholders": {"count": 1, "rows": [7]}} if placeholders else {}
    )
    said = {
        "images": {"train": 30, "validation": 4, "test": N},
        "pairs": {
            "train_test": {"exact": len(pairs), "near": 3, "mirrored": 1},
            "test": {"exact": 1, "near": 2, "mirrored": 0},
        },
        "groups": {"count": 5, "images": 11, "largest": 3, "of_several_classes": 2, "across_splits": 4},
        "leaked": {"test": len(pairs), "test_of_other_class": 1, "by_train": len(pairs), "by_validation": 0},
        "content": content,
    }
    files.write_json(paths.audit_metrics(dataset), {"dataset": dataset, **said})


@pytest.fixture(scope="session")
def raw_with_pets(shipped: Raw) -> Raw:
    raw = deepcopy(shipped)
    for section, line in PETS.items():
        raw[section]["pets"] = line
    raw["experiments"]["pets-alone"] = {**PET_STUDENT, "row": "alone"}
    raw["experiments"]["pets-taught"] = {**PET_STUDENT, "row": "taught", **TAUGHT}
    return raw


@pytest.fixture(scope="session")
def table_template(raw_with_pets: Raw, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Project]:
    """The project and its folder, fabricated once; tests work in copies."""
    folder, made = tmp_path_factory.mktemp("project"), Project(raw_with_pets)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        put_studies()
        studies.known()  # compiles them, once for all copies
        fill(made)
    return folder, made


def put_studies() -> None:
    """The papers' folders, into the current folder."""
    shutil.copytree(ROOT / paths.STUDIES, paths.STUDIES, ignore=shutil.ignore_patterns("__pycache__"))


def fill(project: Project) -> None:
    found = project.params()
    points = {key: one for sweep, grid in found.sweeps.items() for key, one in grid.experiments(sweep).items()}
    for kind, lines in (("teachers", found.teachers), ("students", found.experiments | points)):
        for key, line in lines.items():
            for seed in found.seeds_of(line):
                project.evaluate(key, seed=seed, kind=kind)
    for dataset in ("fer2013", "raf_db"):
        for model in ("resemotenet", "resemotenet_a", "resemotenet_b"):
            write_costs(dataset, model)
    write_counts()
    write_manifests()
    for dataset in ("fer2013", "raf_db", "cifar100", "pins", "pets"):
        write_audit(dataset, [(100, "train", 0, "test"), (101, "train", 3, "test")], dataset != "cifar100")


@pytest.fixture
def project(table_template: tuple[Path, Project], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A copy to spoil. Its files are links: write by cellar.files, which replaces, never in place."""
    folder, made = table_template
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True, copy_function=os.link)
    monkeypatch.chdir(tmp_path)
    copy = Project(deepcopy(made.raw))
    copy.written = made.written
    return copy


@pytest.fixture
def without_raf_db(project: Project) -> Project:
    """RAF-DB is switched off and none of its files is here."""
    project.raw["datasets"]["raf_db"]["enabled"] = False
    for path in [*Path("results").rglob("*raf_db*"), *Path("data").rglob("*raf_db*")]:
        remove: Callable[[Path], None] = shutil.rmtree if path.is_dir() else Path.unlink
        remove(path)
    return project

"""A fabricated project: every file that tables read, written by hand, without a picture or a training.

Its params.yaml is the one shipped, plus study `own` of the user's, without a folder, on the data set `pets`; its students
have three seeds.
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

from cellar import config, files, paths, studies, tables
from cellar.config import Config, Params
from cellar.metrics import classification
from cellar.pipeline.stages import tabulate
from cellar.tables.cells import Cell, Table
from tests.as_printed import become_printed
from tests.scores import write_scores

ROOT = Path(__file__).parents[1]
FACES = ["happy", "surprise", "sad", "anger", "disgust", "fear", "neutral"]
N = 40  # test images of every fabricated run
PARAMETERS = {
    "resemotenet": 80238599,
    "resemotenet_a": 20069383,
    "resemotenet_b": 5022215,
    "resemotenet_c": 1259911,
    "resnet32x4": 7433860,
    "resnet8x4": 1233540,
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
MINI, CIFAR, OWN = "mini_resemotenet", "cifar100_kd", "own"
PETS = {"enabled": True, "layout": "image_folder", "path": "data/raw/pets", "input_size": 48, "augmentation": "flip",
        "normalisation": "imagenet", "source": {"manual": "put one folder a class here"}}  # fmt: skip
PET_TEACHER = {"dataset": "pets", "model": "resemotenet", "recipe": "teacher"}
PET_STUDENT = {"dataset": "pets", "model": "resemotenet_b", "recipe": "student_a", "seeds": [0, 1, 2]}
KD = {"name": "logit_kd", "temperature": 3, "task_weight": 0.2, "distill_weight": 0.8, "loss_form": "weighted"}
TAUGHT = {"teacher": "pets", "method": KD}

Raw = dict[str, Any]


class Project:
    """The folder that is the current one; `raw` is its params.yaml as plain data, to be spoiled."""

    def __init__(self, raw: Raw) -> None:
        self.raw = raw
        self.written: tuple[Raw, Config] | None = None

    def config(self) -> Config:
        """`raw` as params.yaml, read back; written anew only after a change, for reading takes its time."""
        if self.written is None or self.written[0] != self.raw:
            files.write_text(Path("params.yaml"), yaml.safe_dump(self.raw, sort_keys=False))
            self.written = deepcopy(self.raw), config.load()
        return self.written[1]

    def params(self, study: str = MINI) -> Params:
        return self.config().params(study)

    def study(self, key: str = MINI) -> Raw:
        """What params.yaml says about one study, to be spoiled."""
        sections: Raw = self.raw["studies"][key]
        return sections

    def line(self, section: str, key: str) -> Raw:
        """A line of whichever study has it (no two have one of this name), to be spoiled."""
        return next(study[section][key] for study in self.raw["studies"].values() if key in study.get(section, {}))

    def experiment(self, key: str) -> Raw:
        return self.line("experiments", key)

    def sweep(self, key: str) -> Raw:
        return self.line("sweeps", key)

    def stage(self, key: str, seed: int = 0) -> str:
        """What `dvc repro` calls the evaluation of an experiment."""
        return f"studies/{self.owner(key).study}/results/dvc.yaml:evaluate_student-{key}-seed-{seed}"

    def inputs(self, table: str) -> list[str]:
        return tables.find(table, self.config()).inputs()

    def owner(self, key: str, kind: str = "students") -> Params:
        """The study that has this teacher, experiment or point of a sweep."""
        return next(params for params in self.config().all_params() if key in lines_of(params, kind))

    def owner_of_sweep(self, key: str) -> Params:
        return next(params for params in self.config().all_params() if key in params.sweeps)

    def place(self, key: str, kind: str = "students") -> str:
        """Where the results of a run lie below `kind`."""
        return key if kind == "teachers" else f"{self.owner(key).study}/{key}"

    def metrics(self, key: str, seed: int = 0, kind: str = "students") -> Path:
        return paths.metrics(kind, self.place(key, kind), seed)

    def details(self, key: str, seed: int = 0, kind: str = "students") -> Path:
        return paths.details(kind, self.place(key, kind), seed)

    def predictions(self, key: str, seed: int = 0, kind: str = "students") -> Path:
        return paths.predictions(kind, self.place(key, kind), seed) / "predictions.npz"

    def build(self, table: str) -> Table:
        return tables.build(table, self.config())

    def tabulate(self, table: str) -> None:
        """Write a table as its stage does."""
        self.config()
        tabulate.run(tabulate.Settings(table=table, shown={}))

    def cell(self, table: str, row: str, column: str) -> Cell:
        found = {one.id: one for one in self.build(table).rows}
        return found[row].cells[column]

    def real(self) -> None:
        """Have the papers' own recipes and photographs."""
        become_printed(self.raw, MINI, CIFAR)

    def evaluate(
        self, key: str, right: int | Sequence[bool] | None = None, *, seed: int = 0, n: int = N, kind: str = "students",
        first: int = 0, validation: float | None = 50.0,
    ) -> None:  # fmt: skip
        """Fabricate what evaluating writes: `right` images (which, or how many) are named rightly, None: any.

        `validation` is the accuracy on validation images; there is none where the recipe trains on them.
        """
        params = self.owner(key, kind)
        line = params.teacher(key) if kind == "teachers" else params.experiment(key)
        if params.recipes[line.recipe].train_on == "train_and_validation":
            validation = None
        random = np.random.default_rng(zlib.crc32(f"{kind}/{key}/{seed}".encode()))
        labels = random.integers(0, len(FACES), n)
        logits, last = (random.normal(size=(n, len(FACES))).astype(np.float32) for _ in range(2))
        if right is not None:
            hits = np.arange(n) < right if isinstance(right, int) else np.array(right)
            logits[np.arange(n), labels] = np.where(hits, 9, -9)
        write_evaluation(
            kind, self.place(key, kind), seed, line.dataset, line.model, logits, last, labels, first, validation
        )


def lines_of(params: Params, kind: str) -> dict[str, Any]:
    """The teachers of a study, or its experiments and the points of its sweeps."""
    if kind == "teachers":
        return dict(params.teachers)
    points = {key: line for sweep, grid in params.sweeps.items() for key, line in grid.experiments(sweep).items()}
    return {**params.experiments, **points}


def write_evaluation(
    kind: str, place: str, seed: int, dataset: str, model: str, logits: np.ndarray, last: np.ndarray, labels: np.ndarray,
    first: int, validation: float | None,
) -> None:  # fmt: skip
    index = np.arange(first, first + len(labels))
    folder = paths.predictions(kind, place, seed)
    files.write_arrays(folder / "predictions.npz", logits=logits, last_logits=last, labels=labels, index=index)
    head = {"dataset": dataset, "model": model, "epoch": 3, "epochs_run": 6, "validation_accuracy": validation}
    scores, last_scores = (classification.from_logits(each, labels, FACES) for each in (logits, last))
    last_epoch = {name: last_scores[name] for name in ("accuracy", "loss")}
    write_scores(kind, place, seed, {**head, **scores, "last_epoch": last_epoch})


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
    for key, study in studies.known().items():
        files.write_json(paths.model_counts(key), {name: counted[name] for name in study.networks})


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
    raw["datasets"]["pets"] = PETS
    recipes = raw["studies"][MINI]["recipes"]
    raw["studies"][OWN] = {
        "recipes": deepcopy({name: recipes[name] for name in ("teacher", "student_a")}),
        "teachers": {"pets": PET_TEACHER},
        "experiments": {
            "pets-alone": {**PET_STUDENT, "row": "alone"},
            "pets-taught": {**PET_STUDENT, "row": "taught", **TAUGHT},
        },
    }
    return deepcopy(raw)


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
    """The papers' folders into the current folder, and the methods and networks, whose files say what they are."""
    for folder in (paths.STUDIES, *(Path("src/cellar") / name for name in ("methods", "models"))):
        shutil.copytree(ROOT / folder, folder, ignore=shutil.ignore_patterns("__pycache__"))


def fill(project: Project) -> None:
    for params in project.config().all_params():
        for kind in ("teachers", "students"):
            for key, line in lines_of(params, kind).items():
                for seed in params.seeds_of(line):
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

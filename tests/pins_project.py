"""The small-dataset study's lines, and files as its stages write them, made up: for tests of tables and figures."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import numpy as np

from cellar import files, paths
from cellar.config import Config, Params, config_of
from cellar.config.params import ParamsFile
from cellar.metrics import classification
from cellar.metrics.scalars import Kind
from tests.as_printed import COUNTS, base, write_counts
from tests.scores import write_scores

STUDY = "small_dataset_kd"
IDENTITIES = ["Ada", "Ben", "Cleo", "Dan"]
N = 40  # test images of every run
SUFFIXES = {"_lr4": 0.0001, "_lr5": 0.00001}
MODELS = {
    "convnet9": "convnet9",
    "resnet18": "resnet18",
    "resnet50": "resnet50_vggface2",
    "inceptionv3": "inception_v3",
    "mobilenet": "mobilenet_v1",
}

Raw = dict[str, Any]


def with_pins(shipped: Raw) -> Raw:
    """The shipped parameters with no study but this one, no data set but pins, and every line of its six tables."""
    raw = deepcopy(shipped)
    source = {"manual": "put the folder of identities here"}
    dataset = {**raw["datasets"]["fer2013"], "layout": "image_folder", "path": "data/raw/pins", "source": source}
    recipe = raw["studies"]["mini_resemotenet"]["recipes"]["teacher"] | {"watch": ["train", "test"]}
    teachers = {
        "pins-resnet50": {**line("resnet50"), "weights": "data/raw/vggface2.pkl"},
        "pins-inception": {**line("inceptionv3"), **started(weights="data/raw/imagenet.pth")},
        "pins-sigmoid": {**line("resnet50"), "model": "resnet50_vggface2+sigmoid", **started(teacher="pins-resnet50")},
    }
    experiments = {f"pins-{row}": {**values, "row": row} for row, values in lines().items()}
    raw["datasets"] = {"pins": dataset}
    faces = {"drawn": base(STUDY)["faces"]["pins"] | {"count": 1024}}
    sections = {"recipes": {"slow": recipe}, "faces": faces, "teachers": teachers, "experiments": experiments}
    raw["studies"] = {STUDY: sections}
    return raw


def read(raw: Raw) -> Config:
    """`raw` as a parameter file, each line checked by itself alone."""
    return config_of(ParamsFile.model_validate(raw))


def line(network: str) -> Raw:
    return {"dataset": "pins", "model": MODELS[network], "recipe": "slow"}


def started(**start: str) -> Raw:
    return {"start": start, "freeze": True, "frozen_batch_norm": "eval"}


def lines() -> dict[str, Raw]:
    found: dict[str, Raw] = {}
    triplets = {"method": {"name": "triplet", "margin": 1.0, "per_epoch": 64}}
    found["oneshot_convnet9"] = {**line("convnet9"), **triplets}
    found["oneshot_resnet50"] = {**line("resnet50"), **triplets, **started(teacher="pins-resnet50"), "freeze": False}
    tasks = {"name": "maml", "ways": 5, "shots": 1, "queries": 4, "per_epoch": 8, "inner_learning_rate": 0.01}
    found["meta_convnet9"] = {**line("convnet9"), "method": {**tasks, "inner_steps": 1, "first_order": True}}
    found |= {f"scratch_{network}": line(network) for network in MODELS}
    for network, teacher in (("resnet50", "resnet50"), ("inceptionv3", "inception")):
        found[f"transfer_{network}"] = {**line(network), **started(teacher=f"pins-{teacher}")}
    found["transfer_mobilenet"] = {**line("mobilenet"), **started(weights="data/raw/mobilenet.pth")}
    method = {"name": "logit_kd", "temperature": 1, "task_weight": 0.1, "distill_weight": 0.9, "loss_form": "weighted"}
    found["labels_convnet9"] = {**line("convnet9"), "teacher": "pins-inception", "method": method}
    for loss, teacher in (("mse", "pins-resnet50"), ("bce", "pins-sigmoid")):
        for network in ("convnet9", "resnet18"):
            found |= distilled(loss, network, teacher)
    for suffix in SUFFIXES:
        found[f"mse_resnet18_features{suffix}"] = deepcopy(found["mse_resnet18_features"])
    return found


def distilled(loss: str, network: str, teacher: str) -> dict[str, Raw]:
    model, row = f"{MODELS[network]}+connector", f"{loss}_{network}"
    features = {"faces": "drawn", "method": {"name": "feature_kd", "loss": loss, "images_per_epoch": 64}}
    after = {**line(network), "model": model, **started(experiment=f"pins-{row}_features")}
    found = {
        f"{row}_features": {**line(network), "model": model, "teacher": teacher, **features},
        row: after,
    }
    return found | ({f"{row}_unfrozen": {**after, "freeze": False}} if loss == "bce" else {})


def write_all(params: Params) -> None:
    write_counts("pins", train=40, validation=20, test=N)
    for key, experiment in params.experiments.items():
        for seed in params.seeds_of(experiment):
            write(key, experiment.method_name, experiment.model, seed)


def write(key: str, method: str, model: str, seed: int = 0, **values: Any) -> None:
    """What evaluating an experiment writes; `values` are arguments of the method's own."""
    kind, scores = WAYS.get(method, ("classes", None))
    head = {"dataset": "pins", "model": model, "epoch": 7, "epochs_run": 9}
    made = scores(**values) if scores else classified(key, seed, **values)
    write_scores("students", f"{STUDY}/{key}", seed, {**head, **made}, kind)


def classified(
    key: str, seed: int, right: int = 20, train: int = 36, best: float | None = 60.0, first: int = 0
) -> dict[str, Any]:
    """`right` of N test images and `train` of N training images are named rightly; `best`: F1 of the best test epoch."""
    labels = np.arange(N) % len(IDENTITIES)
    logits = logits_of(labels, right)
    scores = classification.from_logits(logits_of(labels, train), labels, IDENTITIES)
    folder = paths.predictions("students", f"{STUDY}/{key}", seed)
    index = np.arange(first, first + N)
    files.write_arrays(folder / "predictions.npz", logits=logits, last_logits=logits, labels=labels, index=index)
    watched = None if best is None else {"epoch": 5, "accuracy": 62.5, "f1": best, "precision": 61.0, "recall": 63.0}
    return {
        **classification.from_logits(logits, labels, IDENTITIES),
        "last_epoch": {"accuracy": 10.0, "loss": 2.0},
        "train": {name: scores[name] for name in ("accuracy", "macro")},
        "best_on_test": watched,
    }


def logits_of(labels: np.ndarray, right: int) -> np.ndarray:
    """The first `right` images are named rightly, each other one as the next identity (N, C) float32."""
    named = np.where(np.arange(len(labels)) < right, labels, (labels + 1) % len(IDENTITIES))
    return np.eye(len(IDENTITIES), dtype=np.float32)[named] * 5


def triplets(right: float = 75.0, train: float = 90.0, best: float = 80.0) -> dict[str, Any]:
    return {
        "n": N,
        "accuracy": right,
        "loss": 0.4,
        "train": {"n": 2 * N, "accuracy": train, "loss": 0.2},
        "last_epoch": {"accuracy": right, "loss": 0.5},
        "best_on_test": {"epoch": 4, "accuracy": best},
    }


def tasks(right: float = 48.0) -> dict[str, Any]:
    head = {"n": 30, "ways": 5, "shots": 1, "queries": 4, "accuracy": right}
    return {**head, "before_adaptation": {"accuracy": 21.0}, "last_epoch": {"accuracy": 44.0}}


def features(r2: float = -3.5, last: float = -4.25) -> dict[str, Any]:
    head = {"n": N, "r2": r2, "mse": 0.5, "mae": 0.25, "validation_r2": r2}
    return {**head, "last_epoch": {"r2": last, "mse": 0.6, "mae": 0.3}, "faces": {"count": 1024, "name": "drawn"}}


WAYS: dict[str, tuple[Kind, Callable[..., dict[str, Any]]]] = {  # method -> what it predicts, and its scores
    "triplet": ("triplets", triplets),
    "maml": ("tasks", tasks),
    "feature_kd": ("features", features),
}


def become_real(raw: Raw) -> None:
    """The paper's recipes and photographs for the lines here; their teachers, starts and seeds stay."""
    printed, study = base(STUDY), raw["studies"][STUDY]
    raw["scale"] = printed["scale"]
    raw["datasets"] |= printed["datasets"]
    study["recipes"] |= printed["recipes"]
    study["faces"]["drawn"] = printed["faces"]["pins"]
    for key, experiment in study["experiments"].items():
        if key in printed["experiments"]:
            own = printed["experiments"][key]
            experiment |= {name: own[name] for name in ("recipe", "method") if name in own}
    write_counts("pins", **COUNTS["pins"])

"""The Mini-ResEmoteNet paper's recipe on a GPU: an epoch of each network, and the hours of all its trainings."""

from pathlib import Path
from typing import Any

import torch
import yaml
from gpu_training import ON_GPU, RECIPE, Training, now

from cellar.methods.logit_kd import LogitKD

STUDY = Path(__file__).resolve().parents[1] / "studies/mini_resemotenet/params/base.yaml"
SIZE, BATCH, PRECISION = 64, 16, "bf16"
IMAGES = {"fer2013": 28_709, "raf_db": 11_044}  # training images at the paper's scale; of RAF-DB's 12,271 nine tenths
TEACHER = "resemotenet"
WHOLE = (TEACHER, "resemotenet_b")  # networks whose whole epoch is trained, if time allows
CHUNK = 3200 if ON_GPU else 32  # images trained between two looks at the clock
SECONDS = 25.0 if ON_GPU else 1.0  # after which an epoch is extrapolated from what was trained


def epochs() -> dict[str, Any]:
    rows = [epoch_of(name) for name in ("resemotenet", "resemotenet_a", "resemotenet_b", "resemotenet_c")]
    rates = {row["network"]: row["images_per_second"] for row in rows}
    return {
        "recipe": f"{SIZE} px, batch {BATCH}, {PRECISION}, {RECIPE['epochs']} epochs; students by logits from the cache",
        "networks": rows,
        "study": "mini_resemotenet at the paper's scale, one training after the other, without evaluations, early stops or "
        "the teacher's own passes (two an image)",
        "runs": sum(count for _, _, count in runs()),
        "study_hours": round(sum(hours(rates[network], dataset) * count for network, dataset, count in runs()), 2),
    }


def epoch_of(network: str) -> dict[str, Any]:
    """Images a second of an epoch of FER2013's size, and its seconds; extrapolated where only a part was trained."""
    total = IMAGES["fer2013"] if ON_GPU and network in WHOLE else 2 * CHUNK
    if ON_GPU:
        torch.cuda.reset_peak_memory_stats()
    training = Training(None if network == TEACHER else TEACHER, network, SIZE, BATCH, PRECISION, images=total)
    training.epoch(0, 2 * BATCH)  # whatever is slow only the first time
    logits = seconds_of_logits(training)
    trained, seconds = 0, 0.0
    while trained < total and seconds < SECONDS:
        seconds += training.epoch(trained, min(trained + CHUNK, total))
        trained = min(trained + CHUNK, total)
    rate = trained / seconds
    return {
        "network": network, "images_trained": trained, "images_of_an_epoch": IMAGES["fer2013"],
        "extrapolated": trained < IMAGES["fer2013"], "images_per_second": round(rate, 1),
        "epoch_seconds": round(IMAGES["fer2013"] / rate, 1), "first_logits_seconds": logits,
        "peak_memory_gb": round(torch.cuda.max_memory_allocated() / 1e9, 2) if ON_GPU else None,
    }  # fmt: skip


def seconds_of_logits(training: Training) -> float | None:
    """Of the teacher's logits of all images of the epoch, which are then in the cache."""
    if not isinstance(training.method, LogitKD):
        return None
    start = now()
    training.method.begin_epoch(0, training.indices)
    return round(now() - start, 2)


def runs() -> list[tuple[str, str, int]]:
    """Network, data set and number of trainings of each line of the study at the paper's scale."""
    said = yaml.safe_load(STUDY.read_text(encoding="utf-8"))
    lines = [*said["teachers"].values(), *said["experiments"].values()]
    return [(line["model"], line["dataset"], len(line.get("seeds", said["seeds"]))) for line in lines]


def hours(images_per_second: float, dataset: str) -> float:
    return float(RECIPE["epochs"] * IMAGES[dataset] / images_per_second / 3600)

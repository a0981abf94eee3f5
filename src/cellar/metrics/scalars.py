"""Which scores of a run stand in its metrics file, a few scalars, and which in details.json. Nothing is computed here."""

from typing import Any, Literal

Scores = dict[str, Any]
Kind = Literal["classes", "triplets", "features", "tasks"]

SCALARS: dict[Kind, tuple[str, ...]] = {  # dotted keys of the metrics file; the other scores go to details.json
    "classes": (
        "n", "epoch", "validation_accuracy", "accuracy", "loss", "macro.precision", "macro.recall", "macro.f1",
        "last_epoch.accuracy", "last_epoch.loss", "processors",
    ),
    "triplets": (
        "n", "epoch", "validation_accuracy", "accuracy", "loss", "last_epoch.accuracy", "last_epoch.loss", "processors",
    ),
    "features": (
        "n", "epoch", "validation_r2", "r2", "mse", "mae", "last_epoch.r2", "last_epoch.mse", "last_epoch.mae", "processors",
    ),
    "tasks": (
        "n", "epoch", "validation_accuracy", "accuracy", "before_adaptation.accuracy", "last_epoch.accuracy", "processors",
    ),
}  # fmt: skip


def split(kind: Kind, scores: Scores) -> tuple[Scores, Scores]:
    """Scores as two: the few scalars of the metrics file, and everything else."""
    metrics: Scores = {}
    details = {name: dict(value) if isinstance(value, dict) else value for name, value in scores.items()}
    for dotted in SCALARS[kind]:
        name, _, inner = dotted.partition(".")
        if name not in details or (inner and inner not in details[name]):
            continue
        if inner:
            metrics.setdefault(name, {})[inner] = details[name].pop(inner)
        else:
            metrics[name] = details.pop(name)
    return metrics, {name: value for name, value in details.items() if value != {}}


def merge(metrics: Scores, details: Scores) -> Scores:
    """The scores that `split` has split."""
    both = {name: metrics[name] | details[name] for name in metrics.keys() & details.keys()}
    return {**metrics, **details, **both}

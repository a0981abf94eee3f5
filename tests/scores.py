"""Evaluations made up: the two files that an evaluation writes, from all of its scores."""

from typing import Any

from cellar import files, paths
from cellar.metrics import scalars
from cellar.metrics.scalars import Kind

Scores = dict[str, Any]


def write_scores(kind: str, key: str, seed: int, scores: Scores, predictions: Kind = "classes") -> None:
    metrics, details = scalars.split(predictions, scores)
    files.write_json(paths.metrics(kind, key, seed), metrics)
    files.write_json(paths.details(kind, key, seed), {"kind": predictions, **details})


def read_scores(kind: str, key: str, seed: int) -> Scores:
    return scalars.merge(*(files.read_json(path(kind, key, seed)) for path in (paths.metrics, paths.details)))

"""Stages that make images: drawn sets, every set made ready, and what is wrong with it."""

from collections.abc import Iterator

from cellar.config import Params
from cellar.pipeline.plan.family import Family
from cellar.pipeline.plan.files import ARRAYS, AUDIT, AUDIT_METRICS, AUDIT_RECORD, MANIFEST


def data(params: Params) -> Iterator[Family]:
    on = {name: section for name, section in params.datasets.items() if section.enabled}
    items = {name: {"dataset": name, "path": section.path} for name, section in on.items()}
    drawn = {name: item for name, item in items.items() if on[name].source.draw}
    of_section = ["datasets.{dataset}.source.draw", "datasets.{dataset}.layout"]
    for stage in ("draw_faces", "draw_identities", "draw_objects"):
        its = {name: item for name, item in drawn.items() if on[name].drawer == stage}
        yield Family(stage, "{dataset}", its, [], of_section, ["{path}", "{path}.run.json"])
    outputs = [ARRAYS, MANIFEST, "data/prepared/{dataset}/run.json"]
    yield Family("prepare", "{dataset}", items, ["{path}"], ["datasets.{dataset}"], outputs)
    made = [AUDIT, AUDIT_RECORD]
    yield Family("audit", "{dataset}", items, [ARRAYS, MANIFEST], [], made, metrics=[AUDIT_METRICS])

"""Stages that make images: drawn sets, and every set made ready."""

from collections.abc import Iterator

from cellar.params import Params
from cellar.plan.family import Family
from cellar.plan.files import ARRAYS, MANIFEST


def data(params: Params) -> Iterator[Family]:
    on = {name: section for name, section in params.datasets.items() if section.enabled}
    items = {name: {"dataset": name, "path": section.path} for name, section in on.items()}
    drawn = {name: item for name, item in items.items() if on[name].source.draw}
    objects = {name: item for name, item in drawn.items() if on[name].layout == "cifar100"}
    people = {name: item for name, item in drawn.items() if on[name].layout == "identity_folder"}
    faces = {name: item for name, item in drawn.items() if name not in objects | people}
    of_section = ["datasets.{dataset}.source.draw", "datasets.{dataset}.layout"]
    yield Family("draw_faces", "{dataset}", faces, [], of_section, ["{path}"])
    yield Family("draw_identities", "{dataset}", people, [], of_section, ["{path}"])
    yield Family("draw_objects", "{dataset}", objects, [], of_section, ["{path}"])
    outputs = [ARRAYS, MANIFEST, "data/prepared/{dataset}/run.json"]
    yield Family("prepare", "{dataset}", items, ["{path}"], ["datasets.{dataset}"], outputs)

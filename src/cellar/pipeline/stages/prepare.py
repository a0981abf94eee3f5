"""`prepare`: raw files in a public layout -> arrays, labels, splits and a manifest."""

import sys
from collections.abc import Iterator

from cellar.config import Config, Dataset
from cellar.config.section import Section
from cellar.pipeline import code
from cellar.pipeline.stage import Facts, Job, StageKind

CODE = (
    "src/cellar/data/readers", "src/cellar/data/images.py", "src/cellar/data/image_formats.py", "src/cellar/data/foreign.py",
    "src/cellar/data/unpack.py", "src/cellar/data/class_names.py", "src/cellar/data/splits.py", "src/cellar/data/faces.py",
    "src/cellar/data/greyscale.py", "src/cellar/data/audit", "src/cellar/data/safe_pickle", "src/cellar/seeding.py",
)  # fmt: skip


class Settings(Section):
    dataset: str
    section: Dataset


def jobs(config: Config) -> Iterator[Job]:
    for name, section in config.datasets.items():
        if section.enabled:
            yield Job(name, name, Settings(dataset=name, section=section), reads=(section.path,))


def run(settings: Settings) -> Facts:
    from dataclasses import replace

    from cellar import files, paths
    from cellar.data.audit.leaks import without_leaking
    from cellar.data.greyscale import to_grey
    from cellar.data.inputs import prepared
    from cellar.data.readers import layouts

    section, folder = settings.section, paths.prepared(settings.dataset)
    image_set = layouts.load(section, settings.dataset)
    for remark in image_set.remarks:
        print(f"{settings.dataset}: {remark}", file=sys.stderr)
    if section.greyscale:
        image_set = replace(image_set, images=to_grey(image_set.images))
    if not section.drop_leaked:
        prepared.save(image_set, folder, dataset=settings.dataset, layout=section.layout)
        return {}
    image_set, dropped = without_leaking(image_set, settings.dataset)
    prepared.save(image_set, folder, dataset=settings.dataset, layout=section.layout)
    manifest = folder / "manifest.json"
    files.write_json(manifest, files.read_json(manifest) | {"dropped_as_leaked": dropped})
    return {}


KIND = StageKind(
    "prepare",
    jobs,
    Settings,
    run,
    (*code.FILES, *code.PREPARED, *CODE),
    outs=("data/prepared/{item}/arrays.npz", "data/prepared/{item}/manifest.json"),
)

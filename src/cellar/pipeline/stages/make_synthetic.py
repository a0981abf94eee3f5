"""`make_synthetic`: synthetic images in the layout of a public data set, for those who do not have it."""

from collections.abc import Iterator
from pathlib import Path

from cellar.config import Config
from cellar.config.data import SyntheticSpec
from cellar.config.section import Section
from cellar.errors import CellarError
from cellar.pipeline import code
from cellar.pipeline.stage import Facts, Job, StageKind

CODE = (
    "src/cellar/data/synthetic", "src/cellar/data/readers", "src/cellar/data/whole_folder.py", "src/cellar/data/faces.py",
    "src/cellar/data/images.py", "src/cellar/data/image_formats.py", "src/cellar/data/foreign.py", "src/cellar/data/unpack.py",
    "src/cellar/data/class_names.py", "src/cellar/data/splits.py", "src/cellar/data/inputs/prepared.py",
    "src/cellar/data/safe_pickle", "src/cellar/seeding.py",
)  # fmt: skip


class Settings(Section):
    dataset: str
    path: str
    layout: str
    spec: SyntheticSpec


def jobs(config: Config) -> Iterator[Job]:
    for name, section in config.datasets.items():
        if section.enabled and section.source.synthetic:
            settings = Settings(dataset=name, path=section.path, layout=section.layout, spec=section.source.synthetic)
            yield Job(name, name, settings)


def run(settings: Settings) -> Facts:
    from cellar.data.synthetic import identities, objects, sample

    folder, spec = Path(settings.path), settings.spec
    if settings.layout == "fer2013":
        sample.write_fer2013(folder, spec.seed, spec.train, spec.validation, spec.test)
    elif settings.layout == "raf_db":
        sample.write_raf_db(folder, spec.seed, spec.train, spec.test)
    elif settings.layout == "identity_folder":
        identities.write_pins(folder, spec.seed, spec.identities, spec.per_identity)
    elif spec.validation:
        where = f"datasets.{settings.dataset}.source.synthetic.validation"
        raise CellarError(f"{where}: this layout has no validation split; set it to 0, use validation_fraction")
    else:
        objects.write_cifar100(folder, spec.seed, spec.train, spec.test)
    return {"seed": spec.seed}


KIND = StageKind("make_synthetic", jobs, Settings, run, (*code.FILES, *CODE), outs=("data/raw/sample/{item}/",))

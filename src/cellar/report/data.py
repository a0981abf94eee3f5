"""The data sets of the run, class by class."""

from dataclasses import dataclass
from typing import Any

from cellar import files, paths
from cellar.config import Config
from cellar.config.data import Dataset

FEW = 20  # classes that are listed one by one


@dataclass(frozen=True)
class Counted:
    """One prepared set: images of every split, in all and of each class where these are few."""

    name: str
    source: str
    shape: str
    splits: dict[str, int]
    classes: list[tuple[str, list[int]]]
    class_count: int


def sets(config: Config) -> list[Counted]:
    """Those that are on and prepared here."""
    manifests = {name: paths.prepared(name) / "manifest.json" for name, one in config.datasets.items() if one.enabled}
    return [
        counted(name, config.datasets[name], files.read_json(path)) for name, path in manifests.items() if path.exists()
    ]


def counted(name: str, section: Dataset, manifest: dict[str, Any]) -> Counted:
    counts: dict[str, dict[str, int]] = manifest.get("counts", {})
    classes = [str(one) for one in manifest.get("classes", [])]
    rows = [(one, [split.get(one, 0) for split in counts.values()]) for one in classes]
    shape = " × ".join(map(str, manifest.get("image_shape", [])))
    splits = {split: sum(of.values()) for split, of in counts.items()}
    return Counted(name, source(section), shape, splits, rows if len(rows) <= FEW else [], len(classes))


def source(section: Dataset) -> str:
    """Where params.yaml says that the raw files come from."""
    if section.source.synthetic:
        return f"synthetic, seed {section.source.synthetic.seed}"
    source = section.source.model_dump(exclude_none=True)
    return "; ".join(f"{word}: {value}" for word, value in source.items()) or "put there by hand"

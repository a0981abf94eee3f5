"""A project to report on: the committed tables and dvc.lock, and beside them what a stranger could have named badly."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from cellar import files, paths, report
from cellar.provenance import lineage
from tests.table_project import put_studies

ROOT = Path(__file__).parents[2]
HOSTILE = "<script>document.title='taken'</script>"
STAGE = "train_teacher@fer2013-seed-0"
RECORD: dict[str, Any] = {
    "commit": "a" * 40,
    "dirty": True,
    "python": "3.11.7",
    "versions": {"torch": "2.13.0", "numpy": "2.3.0"},
    "machine": {"host": "the-name-of-a-host", "system": "Linux-6", "cores": 2, "memory_gb": 25.3},
    "device": "cpu",
    "device_name": "a processor",
    "threads": 2,
    "seed": 0,
    "started": "2030-01-01T10:00:00+00:00",
    "finished": "2030-01-01T10:02:00+00:00",
    "seconds": 120.0,
    "peak_memory_gb": 1.5,
}
OWN = {
    "id": "custom_own",
    "title": f"Data set {HOSTILE}",
    "study": "custom",
    "scale": {"name": "sample", "drawn": True, "note": "drawn"},
    "notes": [HOSTILE],
    "columns": [{"id": "accuracy", "label": HOSTILE, "unit": "%"}],
    "rows": [{"id": "r", "label": HOSTILE, "cells": {"accuracy": {"value": 1.5, "unit": "%", "kind": "measured"}}}],
}
NOT_RUN = {"value": None, "unit": "%", "kind": "not_run", "reason": "its data set is off"}
ABSENT = OWN | {"id": "custom_absent", "rows": [{"id": "r", "label": "r", "cells": {"accuracy": NOT_RUN}}]}


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project; its page is written."""
    made = tmp_path_factory.mktemp("reported")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(made)
        fill()
        report.write()
    return made


def fill() -> None:
    for path in (*paths.LOCKS[:1], Path("params.yaml")):
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / path, path)
    put_studies()
    shutil.copytree(ROOT / paths.TABLES, paths.TABLES)
    files.write_json(paths.TABLES / "custom_own.json", OWN)
    files.write_json(paths.TABLES / "custom_absent.json", ABSENT)
    teacher = next(stage for stage in lineage.load().stages if stage.target == STAGE)
    assert teacher.record is not None
    files.write_json(teacher.record, RECORD)
    counts = {"train": {HOSTILE: 3, "cat": 4}, "test": {HOSTILE: 1, "cat": 2}}
    manifest = {"dataset": "fer2013", "classes": [HOSTILE, "cat"], "image_shape": [48, 48], "counts": counts}
    files.write_json(paths.prepared("fer2013") / "manifest.json", manifest)
    paths.FIGURES.mkdir(parents=True)
    Image.effect_noise((2400, 500), 80).save(paths.FIGURES / "fig_4.png")
    files.write_json(paths.TABLES / "list.json", [1, 2])  # no table of cells: its Markdown is shown
    listed = f"# A list of {HOSTILE}\n\n{HOSTILE}\n\n![](https://example.org/x.png) [words](https://example.org)\n"
    files.write_text(paths.TABLES / "list.md", listed)


@pytest.fixture(scope="session")
def page(folder: Path) -> str:
    return (folder / paths.REPORT).read_text(encoding="utf-8")

"""A project to report on: fabricated results and the locks of a whole build, and what a stranger could have named badly."""

import shutil
from hashlib import md5
from pathlib import Path
from typing import Any

import pytest
import yaml
from PIL import Image

from cellar import files, paths, report, tables
from cellar.config import Config
from cellar.pipeline import dvc_yaml, plan
from cellar.pipeline.stage import Stage
from cellar.provenance import lineage
from cellar.tables import render
from tests.table_project import Project, raw_with_pets, table_template

ROOT = Path(__file__).parents[2]
__all__ = ["raw_with_pets", "table_template"]
HOSTILE = "<script>document.title='taken'</script>"
STAGE = "train_teacher-fer2013-seed-0"
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
    "scale": {"name": "sample", "synthetic": True, "note": "a sample"},
    "notes": [HOSTILE],
    "columns": [{"id": "accuracy", "label": HOSTILE, "unit": "%"}],
    "rows": [{"id": "r", "label": HOSTILE, "cells": {"accuracy": {"value": 1.5, "unit": "%", "kind": "measured"}}}],
}
NOT_RUN = {"value": None, "unit": "%", "kind": "not_run", "reason": "its data set is off"}
ABSENT = OWN | {"id": "custom_absent", "rows": [{"id": "r", "label": "r", "cells": {"accuracy": NOT_RUN}}]}


@pytest.fixture(scope="session")
def built(table_template: tuple[Path, Project], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose stages have all run, by its locks; one of them has a record."""
    made, (template, project) = tmp_path_factory.mktemp("built") / "project", table_template
    shutil.copytree(template, made)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(made)
        config = project.config()
        for table in ("table_iv", "table_vi"):
            render.write(tables.build(table, config), paths.TABLES)
        put_engine()
        write_locks(config)
        teacher = next(stage for stage in lineage.load().stages if stage.target == STAGE)
        files.write_json(teacher.record, RECORD)
    return made


def put_engine() -> None:
    """The code that the plan names."""
    shutil.copytree(ROOT / "src", "src", ignore=shutil.ignore_patterns("__pycache__"), dirs_exist_ok=True)
    for name in ("Snakefile", "workflow"):
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, name)


def write_locks(config: Config) -> None:
    """dvc.yaml and dvc.lock of the root and of each study, as a build without sweeps leaves them."""
    for file, stages in dvc_yaml.by_file(plan.stages(config), sweeps=False).items():
        files.write_text(file, dvc_yaml.render(stages))
        entries = {stage.name: entry(stage) for stage in stages}
        files.write_text(
            file.with_suffix(".lock"), yaml.safe_dump({"schema": "2.0", "stages": entries}, sort_keys=False)
        )


def entry(stage: Stage) -> dict[str, Any]:
    """A stage in a lock, with made-up md5s."""
    settings = stage.job.settings.model_dump(mode="json", exclude_none=True)
    return {
        "cmd": stage.command,
        "deps": [hashed(path) for path in stage.inputs],
        "params": {str(stage.resolved): settings} if stage.has_settings else {},
        "outs": [hashed(path) for path in stage.outputs],
    }


def hashed(path: str) -> dict[str, str]:
    ending = "" if Path(path).suffix else ".dir"
    return {"path": path, "hash": "md5", "md5": md5(path.encode(), usedforsecurity=False).hexdigest() + ending}


@pytest.fixture(scope="session")
def folder(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project, and what a stranger named badly; its page is written."""
    made = tmp_path_factory.mktemp("reported") / "project"
    shutil.copytree(built, made)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(made)
        fill()
        report.write()
    return made


def fill() -> None:
    files.write_json(paths.TABLES / "custom_own.json", OWN)
    files.write_json(paths.TABLES / "custom_absent.json", ABSENT)
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

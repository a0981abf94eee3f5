"""A project with the study alone, at a scale of its params, and the evaluations of all its runs written by hand."""

from collections.abc import Callable
from pathlib import Path

import pytest

from cellar import files, paths
from cellar.config.compose import compose
from tests.conftest import ROOT
from tests.table_project import Project, put_studies

KEY = "kd_methods"
Fabricate = Callable[..., Project]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fabricate:
    """Composes a scale of the study in an empty folder, or only some of its pairs; `evaluated`: with the evaluations of all its
    runs."""

    def fabricate(scale: str, *pairs: str, evaluated: bool = False) -> Project:
        monkeypatch.chdir(ROOT)
        raw = compose([f"{KEY}/{scale}"]).values
        lines = raw["studies"][KEY]["experiments"]
        for key in [key for key in lines if pairs and key.rpartition("-")[0] not in pairs]:
            del lines[key]
        monkeypatch.chdir(tmp_path)
        put_studies()
        made = Project(raw)
        params = made.params(KEY)
        for kind, lines in (("teachers", params.teachers), ("students", params.experiments)) if evaluated else ():
            for key, line in lines.items():
                for seed in params.seeds_of(line):
                    evaluate(made, key, seed=seed, kind=kind)
        return made

    return fabricate


def evaluate(project: Project, key: str, right: int | None = None, best: float = 60.0, **options: object) -> None:
    """As an evaluation writes it: `right` of 40 test images, `best` percent at the epoch that is best on the test set."""
    kind, seed = str(options.get("kind", "students")), int(str(options.get("seed", 0)))
    project.evaluate(key, right, **options)  # type: ignore[arg-type]
    history = paths.trained(kind, project.place(key, kind), seed) / "history.csv"
    files.write_csv(history, [{"epoch": 1, "test_accuracy": best - 20}, {"epoch": 2, "test_accuracy": best}])

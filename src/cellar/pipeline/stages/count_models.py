"""`count_models`: parameters and bytes of every network that a study's tables name."""

from collections.abc import Iterator

from cellar import paths
from cellar.config import Config
from cellar.config.section import Section
from cellar.pipeline.stage import Facts, Job, StageKind


class Settings(Section):
    """Networks under the names that tables use: the number of classes of each, and the file that declares it (torchvision's
    have none)."""

    study: str
    classes: dict[str, int]
    files: dict[str, str]


def jobs(config: Config) -> Iterator[Job]:
    from cellar import models, studies

    for study in studies.used(config):
        own = [name for name in study.networks if not name.startswith(studies.TORCHVISION)]
        bare = {name: name.partition("(")[0] for name in own}
        files = {name: str(models.file_of(bare[name], study.key)) for name in own}
        code = sorted({str(path) for name in own for path in models.code_of(bare[name], study.key)})
        if study.networks:
            settings = Settings(study=study.key, classes=dict(study.networks), files=files)
            yield Job("", study.key, settings, code=tuple(code), study=study.key)


def run(settings: Settings) -> Facts:
    from cellar import files
    from cellar.engine import profiling

    counted = profiling.count_all([(name, n, settings.files.get(name)) for name, n in settings.classes.items()])
    files.write_json(paths.model_counts(settings.study), counted)
    return {}


KIND = StageKind(
    "count_models",
    jobs,
    Settings,
    run,
    ("src/cellar/files.py", "src/cellar/models/__init__.py", "src/cellar/engine/profiling.py"),
    tracked=("results/metrics/models/{item}.json",),
)

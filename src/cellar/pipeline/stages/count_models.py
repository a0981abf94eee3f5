"""`count_models`: parameters and bytes of every network that a study's tables name."""

from collections.abc import Iterator

from cellar import paths
from cellar.config import Config
from cellar.config.section import Section
from cellar.pipeline.stage import Facts, Job, StageKind


class Network(Section):
    """A network under the name that tables use; `file` declares it, None for one of torchvision's."""

    name: str
    classes: int
    file: str | None = None


class Settings(Section):
    study: str
    networks: list[Network]


def jobs(config: Config) -> Iterator[Job]:
    from cellar import models, studies

    for study in studies.used(config):
        own = [name for name in study.networks if not name.startswith(studies.TORCHVISION)]
        bare = {name: name.partition("(")[0] for name in own}
        files = {name: str(models.file_of(bare[name], study.key)) for name in own}
        counted = [Network(name=name, classes=n, file=files.get(name)) for name, n in study.networks.items()]
        code = sorted({str(path) for name in own for path in models.code_of(bare[name], study.key)})
        if counted:
            yield Job("", study.key, Settings(study=study.key, networks=counted), code=tuple(code), study=study.key)


def run(settings: Settings) -> Facts:
    from cellar import files
    from cellar.engine import profiling

    counted = profiling.count_all([(one.name, one.classes, one.file) for one in settings.networks])
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

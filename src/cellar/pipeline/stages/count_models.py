"""`count_models`: parameters and bytes of every network that a table names."""

from collections.abc import Iterator

from cellar import paths
from cellar.config import Config
from cellar.config.section import Section
from cellar.pipeline.stage import Facts, Job, StageKind


class Settings(Section):
    """`networks`: name, as tables have it, -> classes of its last layer (cellar.studies.Study.networks)."""

    networks: dict[str, int]


def jobs(config: Config) -> Iterator[Job]:
    from cellar import models, studies

    counted = studies.networks(config)
    own = [name for name in counted if not name.startswith(studies.TORCHVISION)]
    code = tuple(sorted({str(path) for name in own for path in models.code_of(name.partition("(")[0])}))
    yield Job("", "", Settings(networks=counted), code=code)


def run(settings: Settings) -> Facts:
    from cellar import files
    from cellar.engine import profiling

    files.write_json(paths.MODEL_COUNTS, profiling.count_all(settings.networks))
    return {}


KIND = StageKind(
    "count_models",
    jobs,
    Settings,
    run,
    ("src/cellar/files.py", "src/cellar/models/__init__.py", "src/cellar/engine/profiling.py"),
    tracked=(str(paths.MODEL_COUNTS),),
)

"""`count_models`: parameters and bytes of every network that a table names."""

from collections.abc import Iterator

from cellar import paths
from cellar.config import Config
from cellar.config.section import Section
from cellar.pipeline.stage import Facts, Job, StageKind


class Network(Section):
    """A network under the name that tables use: one of src/cellar/models, or a builder of torchvision."""

    name: str
    classes: int
    torchvision: str | None = None


class Settings(Section):
    networks: list[Network]


def jobs(config: Config) -> Iterator[Job]:
    from cellar import models, studies

    counted = [Network(**network) for network in studies.networks_to_count(config)]
    files = tuple(sorted({str(models.file_of(one.name)) for one in counted if one.torchvision is None}))
    yield Job("", "", Settings(networks=counted), code=files)


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

"""Which code a kind of stage depends on, by folder or file. A test compares this with the modules that real runs load.

Not listed, because they cannot change a result: the schema of params.yaml (what is compared is resolved values), errors,
paths, and the pipeline itself.
"""

from cellar import models, paths
from cellar.config.resolved import RunSettings, TrainingSettings
from cellar.methods import registry

FILES = ("src/cellar/files.py",)
PREPARED = ("src/cellar/data/inputs/prepared.py",)
INPUTS = ("src/cellar/data/inputs",)
NETWORKS = (
    "src/cellar/models/__init__.py", "src/cellar/models/features.py", "src/cellar/models/small_maps.py",
    "src/cellar/models/windows.py",
)  # fmt: skip
ENGINE = ("src/cellar/engine", "src/cellar/seeding.py")
METRICS = ("src/cellar/metrics",)
BASE = ("src/cellar/methods/base.py",)
FACES = (
    "src/cellar/data/face_images.py", "src/cellar/data/face_shards.py", "src/cellar/data/images.py",
    "src/cellar/data/image_formats.py", "src/cellar/data/foreign.py",
)  # fmt: skip

EXPORT = ("src/cellar/deployment/export",)

TRAINING = (*FILES, *INPUTS, *NETWORKS, *ENGINE, *METRICS, *BASE)
STARTING = (  # what reads the weights of a start
    "src/cellar/models/checkpoint_files", "src/cellar/models/freezing.py", "src/cellar/models/heads.py",
    "src/cellar/data/safe_pickle",
)  # fmt: skip


def of_model(model: str, study: str) -> tuple[str, ...]:
    """A network's own file, and those of src/cellar/models that it is built with."""
    return tuple(map(str, models.code_of(model, study)))


def of_training(settings: TrainingSettings) -> tuple[str, ...]:
    """All code that the steps of a training depend on; what reads its first weights is not among it."""
    method = map(str, registry.code_of(settings.method_file))
    networks = [models.forward_code(settings.model, settings.model_file)]
    if settings.teacher:
        networks.append(models.forward_code(settings.teacher.model, settings.teacher.model_file))
    return (*TRAINING, *method, *(str(paths.in_project(path)) for files in networks for path in files))


def of_run(settings: RunSettings, study: str) -> tuple[str, ...]:
    """The files of a run's own network, of its teacher's, of its method, and of what reads the weights of its start."""
    teacher = of_model(settings.teacher.model, study) if settings.teacher else ()
    method = tuple(map(str, registry.code_of(settings.method_file)))
    started = STARTING if getattr(settings, "start", None) else ()
    return (*method, *of_model(settings.model, study), *teacher, *started)

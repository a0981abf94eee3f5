"""Which code a kind of stage depends on, by folder or file. A test compares this with the modules that real runs load.

Not listed, because they cannot change a result: the schema of params.yaml (what is compared is resolved values), errors,
paths, and the pipeline itself.
"""

from cellar import models
from cellar.config.resolved import RunSettings

FILES = ("src/cellar/files.py",)
PREPARED = ("src/cellar/data/prepared.py",)
AUGMENTATION = ("src/cellar/data/augmentation",)
NETWORKS = ("src/cellar/models/__init__.py",)
ENGINE = ("src/cellar/engine", "src/cellar/seeding.py")
METRICS = ("src/cellar/metrics",)

TRAINING = (*FILES, *PREPARED, *AUGMENTATION, *NETWORKS, *ENGINE, *METRICS, "src/cellar/methods/base.py")
STARTING = ("src/cellar/models/checkpoint_files", "src/cellar/models/freezing.py", "src/cellar/data/safe_pickle")
FACES = ("src/cellar/data/face_images.py", "src/cellar/data/face_shards.py")


def of_model(model: str, study: str) -> tuple[str, ...]:
    """A network's own file, and those of src/cellar/models that it is built with."""
    return tuple(map(str, models.code_of(model, study)))


def of_run(settings: RunSettings, study: str) -> tuple[str, ...]:
    """The files of a run's own network, of its teacher's, of its method, and of what only some runs need."""
    teacher = of_model(settings.teacher.model, study) if settings.teacher else ()
    faces = (*FACES, "src/cellar/models/feature_extractor.py") if settings.faces else ()
    started = STARTING if getattr(settings, "start", None) else ()
    return (settings.method_file, *of_model(settings.model, study), *teacher, *faces, *started)

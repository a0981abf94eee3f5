"""Which code a kind of stage depends on, by folder or file. A test compares this with the modules that real runs load.

Not listed, because they cannot change a result: the schema of params.yaml (what is compared is resolved values), errors,
paths, progress, and the pipeline itself.
"""

from cellar.config.resolved import RunSettings

GROUND = ("src/cellar/files.py",)
IMAGES = ("src/cellar/data/image_set.py", "src/cellar/data/images.py", "src/cellar/data/prepared.py")
READERS = ("src/cellar/data/readers", "src/cellar/data/audit", "src/cellar/safe_pickle", "src/cellar/seeding.py")
SYNTHETIC = ("src/cellar/data/synthetic", "src/cellar/data/readers", "src/cellar/seeding.py")
AUGMENTATION = ("src/cellar/data/augmentation",)
ENGINE = ("src/cellar/engine", "src/cellar/seeding.py")
MODELS = ("src/cellar/models/__init__.py", "src/cellar/models/checkpoint_files", "src/cellar/safe_pickle")
METHODS = ("src/cellar/methods/base.py", "src/cellar/methods/registry.py")
METRICS = ("src/cellar/metrics",)

TRAINING = (*GROUND, *IMAGES, *AUGMENTATION, *ENGINE, *MODELS, *METHODS, *METRICS)
SUFFIXED = "src/cellar/models/connected.py"


def of_model(model: str, model_file: str) -> tuple[str, ...]:
    """A network's own file, and the one that a suffix (`+connector`) adds."""
    return (model_file, SUFFIXED) if "+" in model else (model_file,)


def of_run(settings: RunSettings) -> tuple[str, ...]:
    """The files of a run's own network, of its teacher's, and of its method."""
    teacher = of_model(settings.teacher.model, settings.teacher.model_file) if settings.teacher else ()
    return (*of_model(settings.model, settings.model_file), *teacher, settings.method_file)

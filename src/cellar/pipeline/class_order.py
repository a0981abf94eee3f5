"""Whether what params.yaml says of a weights file's outputs fits the data set, before anything is run."""

from cellar.config import Dataset, Params, Teacher
from cellar.config.lines import AS_DATASET
from cellar.data import class_names, known_classes
from cellar.errors import CellarError
from cellar.pipeline import runs


def check(params: Params, name: str, line: Teacher) -> None:
    """Raises CellarError, with the key in params.yaml: `classes` is missing where the data set's order is not fixed by its
    layout, or its names do not match those of the data set, as far as these are known yet."""
    section, key = params.datasets[line.dataset], params.place("teachers", name, "classes")
    if line.classes is None and section.layout not in known_classes.FIXED:
        raise runs.mistake(key, CellarError(missing(line, section)))
    known = known_classes.classes_of(section) if isinstance(line.classes, list) else None
    if known and isinstance(line.classes, list):
        try:
            class_names.match(line.classes, known, section.layout)
        except CellarError as error:
            raise runs.mistake(key, error) from None


def missing(line: Teacher, section: Dataset) -> str:
    known = known_classes.classes_of(section)
    order = f": {class_names.listed(known)}" if known else ""
    return (
        f"missing; layout {section.layout} sorts its classes by name{order}, and {line.weights} may have another order: "
        f"list the names in the order of its outputs, or write classes: {AS_DATASET} if it is that one"
    )

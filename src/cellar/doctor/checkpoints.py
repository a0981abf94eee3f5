"""Whether weights that are used as a teacher have an output for each class of its data set, and how the two are matched."""

from collections.abc import Iterator
from pathlib import Path

from cellar.config import Config, Dataset, Teacher
from cellar.data import class_names, known_classes
from cellar.doctor.finding import Finding
from cellar.models.checkpoint_files import shapes


def examine(config: Config) -> Iterator[Finding]:
    """A line for each file that is here. Class names that do not match are refused by the plan, before this."""
    for name, params in config.declaring("teachers").items():
        line = params.teachers[name]
        if line.weights and params.is_on(line) and Path(line.weights).is_file():
            yield look(params.place("teachers", name, "weights"), line, params.datasets[line.dataset])


def look(key: str, line: Teacher, section: Dataset) -> Finding:
    known, rows = known_classes.classes_of(section), shapes.row_counts(Path(str(line.weights)))
    if known and rows and len(known) not in rows:
        classes = f"{line.dataset} has {len(known)} classes ({class_names.listed(known)})"
        what = f"{line.weights} has no layer of {len(known)} outputs, but {classes}"
        return Finding("bad", key, what, "give weights of a network with these classes")
    how = "bound to its classes by name" if isinstance(line.classes, list) else "taken in its own order"
    return Finding("ok", key, f"{line.weights}: the outputs for {line.dataset} are {how}")

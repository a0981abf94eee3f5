"""From `exports` in params.yaml to the networks that are exported, with the settings of their evaluations."""

from collections.abc import Iterator
from dataclasses import dataclass

from cellar import paths
from cellar.config import Config, Experiment, Export, Params, Teacher
from cellar.config.resolved import EvaluationSettings
from cellar.deployment import packages
from cellar.deployment.export.session import FP32, INT8
from cellar.errors import CellarError
from cellar.methods import registry
from cellar.pipeline import runs


@dataclass(frozen=True)
class Exported:
    """An export of params.yaml; `item`: its place under results/, study/name; `student`: the network, which may be a teacher."""

    params: Params
    name: str
    export: Export
    line: Teacher | Experiment
    student: EvaluationSettings

    @property
    def item(self) -> str:
        return f"{self.params.study}/{self.name}"

    @property
    def weights(self) -> str:
        """The network's trained weights."""
        return str(paths.trained(self.student.kind, self.student.key, self.student.seed) / runs.WEIGHTS)

    @property
    def files(self) -> tuple[str, ...]:
        return tuple(str(paths.export(self.item) / name) for name in (FP32, INT8))

    @property
    def teacher(self) -> str | None:
        """The teacher that it learnt from, or None."""
        line = self.line
        return runs.key_of_teacher(self.params, line) if isinstance(line, Experiment) and line.teacher else None

    @property
    def start(self) -> str | None:
        """The teacher, experiment or file of weights that its training began with, or None."""
        start = self.line.start
        return (start.teacher or start.experiment or start.weights) if start else None

    @property
    def given(self) -> str | None:
        """The file that the weights were read from, or None where they were trained."""
        return self.line.weights if isinstance(self.line, Teacher) else None


def exports(config: Config) -> Iterator[Exported]:
    """Those whose data set is on. Raises CellarError, with the key in params.yaml, where the optional packages are
    missing or the student predicts no classes."""
    for params in config.all_params():
        for name, export in params.exports.items():
            line = params.exported(export)
            if params.is_on(line):
                student = evaluation_of(params, export, line)
                check(params, name, student)
                yield Exported(params, name, export, line, student)


def evaluation_of(params: Params, export: Export, line: Teacher | Experiment) -> EvaluationSettings:
    seed = params.export_seed(export)
    if isinstance(line, Teacher):
        return runs.evaluation(params, "teachers", str(export.teacher), line, seed)
    return runs.evaluation(params, "students", f"{params.study}/{export.experiment}", line, seed)


def check(params: Params, name: str, student: EvaluationSettings) -> None:
    place = params.place("exports", name)
    packages.need(packages.EXPORT, place)
    if registry.prediction_kind(student.method_file) != "classes":
        problem = f"{student.key} learns by {student.method['name']}, not classes; name an experiment that does"
        raise runs.mistake(f"{place}.experiment", CellarError(problem))

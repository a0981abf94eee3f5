"""Whether the weights files that params.yaml names, and that are here, are what they should be and fit their networks.

The first bytes of a file tell what it is. To see whether it fits needs torch, which takes a second to import: a process of its
own compares names and shapes while the rest of the report is made. A file that it does not reach in time is named.
"""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cellar import models
from cellar.config import Config, Line, Params
from cellar.doctor.data_sets import Extent
from cellar.doctor.finding import Finding
from cellar.models.checkpoint_files.kinds import foreign

PATIENCE = 2.0  # seconds that the process may take; it runs beside the rest of the report
LARGEST = 32 << 20  # bytes of a plain pickle, which is read whole


@dataclass(frozen=True)
class Question:
    """A file, the network that it is for, and where params.yaml says so; `classes`: None for all but the last layer."""

    where: str
    path: str
    model: str
    model_file: str
    classes: int | None
    key: str | None


@dataclass(frozen=True)
class Look:
    """The process that answers, if there is something to ask, and when it began."""

    process: "subprocess.Popen[str] | None"
    begun: float

    def findings(self, config: Config, extents: dict[str, Extent]) -> Iterator[Finding]:
        """A line a file: of a wrong kind at once, of the others what the process says."""
        questions: list[Question] = []
        for params in config.studies.values():
            wrong = {
                where: problem for where, path in params.needed_weights().items() if (problem := kind_of(Path(path)))
            }
            yield from (refused(where, problem) for where, problem in wrong.items())
            questions += [question for question in questions_of(params, extents) if question.where not in wrong]
        answers = self.answers(questions)
        for question in questions:
            if problem := answers.get(question.where, ""):
                yield refused(question.where, problem)
            elif question.where in answers:
                yield Finding("ok", question.where, f"{question.path} fits {question.model} by its names and shapes")
            else:
                what = f"{question.path} is here; there was no time to see whether it fits {question.model}"
                yield Finding("ok", question.where, what)

    def answers(self, questions: list[Question]) -> dict[str, str]:
        """Where -> what is wrong, "" for nothing; nothing at all when the process takes too long."""
        if self.process is None:
            return {}
        asked = json.dumps([vars(question) for question in questions])
        left = max(0.0, PATIENCE - (time.monotonic() - self.begun))
        with suppress(OSError, ValueError), self.process as process:  # ValueError: it answered with no JSON
            try:
                found: dict[str, str] = json.loads(process.communicate(asked, left)[0])
                return found
            except subprocess.TimeoutExpired:
                process.kill()
        return {}


def start(config: Config) -> Look:
    """Begin to look, if a file of a network's weights is here: the process imports torch while the report is made."""
    lines = [
        line for params in config.studies.values() for line in (*params.teachers.values(), *params.experiments.values())
    ]
    if not any(path and Path(path).is_file() for line in lines for _, path, _ in files_of(line)):
        return Look(None, 0.0)
    command, pipe = [sys.executable, "-m", "cellar.doctor.weights_fit"], subprocess.PIPE
    process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True)
    return Look(process, time.monotonic())


def kind_of(path: Path) -> str:
    """Why a path that exists can hold no weights; "" when nothing speaks against it."""
    if not path.exists():
        return ""  # cellar.doctor.data_sets says so
    if path.is_dir():
        return f"{path} is a folder; name the weights file in it"
    try:
        problem = foreign(path)
    except OSError as error:
        problem = f"cannot be read ({error.strerror}); mend its permissions"
    return f"{path} {problem}" if problem else ""


def files_of(line: Line) -> Iterator[tuple[str, str | None, str | None]]:
    """(key below the line, file, weights_key) of a teacher's own weights and of a start."""
    yield "weights", getattr(line, "weights", None), getattr(line, "weights_key", None)
    if line.start:
        yield "start.weights", line.start.weights, line.start.weights_key


def questions_of(params: Params, extents: dict[str, Extent]) -> Iterator[Question]:
    """Of all files that are here, but for a generator's, which describes its own network."""
    lines: dict[str, dict[str, Any]] = {"teachers": dict(params.teachers), "experiments": dict(params.experiments)}
    for section, named in lines.items():
        for name, line in named.items():
            classes = extents[line.dataset].classes if line.dataset in extents else None
            for place, path, key in files_of(line) if params.is_on(line) else ():
                whole = place == "weights"
                if path and Path(path).is_file() and (classes or not whole) and small(Path(path)):
                    where, file = params.place(section, name, place), str(models.file_of(line.model, params.study))
                    yield Question(where, path, line.model, file, classes if whole else None, key)


def small(path: Path) -> bool:
    return path.suffix != ".pkl" or path.stat().st_size <= LARGEST


def refused(where: str, problem: str) -> Finding:
    what, _, do = problem.rpartition("; ")
    return Finding("bad", where, what, do)

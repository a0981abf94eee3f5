"""Whether the weights files that params.yaml names, and that are here, are what they should be and fit their networks.

What a file is, its first bytes tell at once. Whether it fits asks for torch, which takes a second to import: a process of
its own looks, from names and shapes alone, while the rest of the report is made, and what it does not come to is said.
"""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cellar import models
from cellar.config import Config, Line, Params
from cellar.doctor.data_sets import Extent
from cellar.doctor.finding import Finding
from cellar.models.checkpoint_files.kinds import foreign

PATIENCE = 1.5  # seconds that the process may take
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


@dataclass
class Look:
    """What is known already, what is asked, and the process that answers."""

    known: list[Finding]
    questions: list[Question]
    process: "subprocess.Popen[str] | None" = None
    begun: float = field(default_factory=time.monotonic)

    def findings(self) -> Iterator[Finding]:
        yield from self.known
        answers = self.answers()
        for question in self.questions:
            if question.where not in answers:
                what = f"{question.path} is here; there was no time to see whether it fits {question.model}"
                yield Finding("ok", question.where, what)
            elif problem := answers[question.where]:
                yield refused(question.where, problem)
            else:
                what = f"{question.path} fits {question.model} by its names and shapes"
                yield Finding("ok", question.where, what)

    def answers(self) -> dict[str, str]:
        """Where -> what is wrong, "" for nothing; nothing at all when the process takes too long."""
        if self.process is None:
            return {}
        asked = json.dumps([vars(question) for question in self.questions])
        try:
            said, _ = self.process.communicate(asked, max(0.0, PATIENCE - (time.monotonic() - self.begun)))
            found: dict[str, str] = json.loads(said)
        except (subprocess.TimeoutExpired, OSError, ValueError):
            self.process.kill()
            self.process.communicate()
            return {}
        return found


def begin(config: Config, extents: dict[str, Extent]) -> Look:
    """Look at the first bytes of all named files, and start the process that looks into them."""
    look = Look([], [])
    for params in config.studies.values():
        for where, path in params.needed_weights().items():
            if Path(path).exists() and (problem := kind_of(Path(path))):
                look.known.append(refused(where, f"{path} {problem}"))
        bad = {finding.topic for finding in look.known}
        look.questions += [question for question in asked_of(params, extents) if question.where not in bad]
    if look.questions:
        command = [sys.executable, "-m", "cellar.doctor.weights_fit"]
        pipe = subprocess.PIPE
        look.process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True)
    return look


def kind_of(path: Path) -> str:
    """Why a path can hold no weights; "" when nothing speaks against it."""
    if path.is_dir():
        return "is a folder; name the weights file in it"
    try:
        return foreign(path)
    except OSError as error:
        return f"cannot be read ({error.strerror}); mend its permissions"


def asked_of(params: Params, extents: dict[str, Extent]) -> Iterator[Question]:
    """A question a file of a teacher's or of a start; a generator's describes its own network."""
    lines: dict[str, dict[str, Any]] = {"teachers": dict(params.teachers), "experiments": dict(params.experiments)}
    for section, named in lines.items():
        for name, line in named.items():
            if not params.is_on(line):
                continue
            classes = extents[line.dataset].classes if line.dataset in extents else None
            given = getattr(line, "weights", None), getattr(line, "weights_key", None)
            start = (line.start.weights, line.start.weights_key) if line.start else (None, None)
            for place, (path, key), whole in (("weights", given, True), ("start.weights", start, False)):
                if path and Path(path).is_file() and (classes or not whole) and small(Path(path)):
                    where = params.place(section, name, place)
                    yield Question(where, path, line.model, network(line, params), classes if whole else None, key)


def network(line: Line, params: Params) -> str:
    return str(models.file_of(line.model, params.study))


def small(path: Path) -> bool:
    return path.suffix != ".pkl" or path.stat().st_size <= LARGEST


def refused(where: str, problem: str) -> Finding:
    what, _, do = problem.rpartition("; ")
    return Finding("bad", where, what, do)

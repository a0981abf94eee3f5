"""Which code a stage runs, compared with the code that it declares."""

import ast
import json
from pathlib import Path

import yaml

from .conftest import Project

# Runs a stage and prints the files of src/cellar and studies that it loads beside those that the command line itself
# loads, and those of which it executes anything.
TRACED = """
import json, sys
from dataclasses import replace
from inspect import CO_NEWLOCALS
from pathlib import Path

from cellar.cli import main
from cellar.pipeline.plan import KINDS

root = Path.cwd()
command_line = set(sys.modules)
executed = set()

def trace(frame, event, argument):
    code = frame.f_code  # of a function: not the body of a module or class, nor a comprehension, which either may have
    if event == "call" and code.co_flags & CO_NEWLOCALS and (code.co_name == "<lambda>" or code.co_name[0] != "<"):
        executed.add(code.co_filename)

def traced(function):
    def within(*arguments):
        sys.setprofile(trace)
        try:
            return function(*arguments)
        finally:
            sys.setprofile(None)
    return within

kind = KINDS[sys.argv[1]]
if kind.name == "tabulate":  # to find a table or figure, those of all studies are listed: what counts is what builds it
    from cellar import tables
    find = tables.find
    tables.find = lambda *arguments: replace(entry := find(*arguments), build=traced(entry.build))
elif kind.name == "plot":
    from cellar.figures import drawing
    listed = drawing.catalogue
    drawing.catalogue = lambda config: {key: replace(entry, draw=traced(entry.draw)) for key, entry in listed(config).items()}
else:
    object.__setattr__(kind, "run", traced(kind.run))
code = main(sys.argv[1:])
loaded = set()
if kind.name not in ("tabulate", "plot", "resolve"):  # which load all studies and methods
    loaded = {str(getattr(sys.modules[name], "__file__", None)) for name in set(sys.modules) - command_line}
files = [Path(file) for file in loaded | executed if file.endswith(".py")]
inside = {file.relative_to(root) if file.is_absolute() else file for file in files if not file.is_absolute() or file.is_relative_to(root)}
print(json.dumps(sorted(str(file) for file in inside if file.parts[:2] == ("src", "cellar") or file.parts[:1] == ("studies",))))
sys.exit(code)
"""

# What cannot change a result: the schema, whose values are resolved before; errors, places, the command line, the bridge
# to DVC; the facts about machine and commit that a record has.
PLUMBING = (
    "src/cellar/config/", "src/cellar/errors.py", "src/cellar/paths.py", "src/cellar/cli", "src/cellar/__main__.py",
    "src/cellar/pipeline/", "src/cellar/engine/run_record.py",
)  # fmt: skip
# `resolve` makes an object of each method, to ask whether the settings suit it.
OF_RESOLVE = ("src/cellar/engine/setup.py",)
# A training asks it which code its checkpoint depends on.
OF_TRAININGS = ("src/cellar/methods/registry.py",)
TRAININGS = ("train_teacher", "train_student", "distill_student", "train_generator")
PLANNING = ("src/cellar/studies.py", "src/cellar/tables/", "src/cellar/figures/")  # where nothing is tabulated or drawn
SHOWING = ("tabulate", "plot", "resolve")


def undeclared(project: Project, address: str) -> list[str]:
    """Files that a stage of a built project runs and does not depend on."""
    file, _, name = address.rpartition(":")
    definition = yaml.safe_load((project.folder / (file or "dvc.yaml")).read_text())["stages"][name]
    (
        python,
        *_,
    ) = arguments = definition["cmd"].split()
    done = project.run(python, "-c", TRACED, *arguments[3:])
    kind = arguments[3]
    return [path for path in json.loads(done.stdout.splitlines()[-1]) if not allowed(project, path, kind, definition["deps"])]  # fmt: skip


def allowed(project: Project, path: str, kind: str, deps: list[str]) -> bool:
    if any(path == dep or path.startswith(f"{dep}/") for dep in deps):
        return True
    own = f"src/cellar/pipeline/stages/{kind}.py"
    plumbing = (*PLUMBING, *(OF_RESOLVE if kind == "resolve" else () if kind in SHOWING else PLANNING))
    if kind in TRAININGS and path in OF_TRAININGS:
        return True
    if kind == "resolve" and path.startswith("studies/") and not is_used(project, path):
        return True
    return (path.startswith(plumbing) and path != own) or is_empty_package(project.folder / path)


def is_used(project: Project, path: str) -> bool:
    """Whether params.yaml has the study of a file; those that it leaves out are registered, and give no settings."""
    return Path(path).parts[1] in yaml.safe_load((project.folder / "params.yaml").read_text())["studies"]


def is_empty_package(file: Path) -> bool:
    """An __init__.py that holds nothing but its docstring."""
    return file.name == "__init__.py" and len(ast.parse(file.read_text()).body) <= 1

"""Finds a method by its name: src/cellar/methods/NAME.py, else studies/<study>/methods/NAME.py."""

import ast
import difflib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from cellar import files, paths
from cellar.config.validation_errors import explain
from cellar.errors import CellarError

if TYPE_CHECKING:
    from cellar.methods.base import Method

HERE = Path(__file__).parent
COMMON = {"__init__", "base", "registry"}  # of all methods
NO_METHODS = COMMON | {"feature_distillation", "logit_distillation", "maps", "two_stages"}  # of several


def known(study: str | None = None) -> list[str]:
    """Names of the methods of this folder, then those of a study; found without importing torch."""
    folders = [HERE, *([paths.STUDIES / study / "methods"] if study else [])]
    return list(dict.fromkeys(path.stem for folder in folders for path in sorted(folder.glob("*.py"))
                              if path.stem not in NO_METHODS))  # fmt: skip


def file_of(name: str, study: str | None = None) -> Path:
    """The file of a method, a path in the project. Raises CellarError that suggests the likely name."""
    folders = [HERE, *([paths.STUDIES / study / "methods"] if study else [])]
    candidates = [folder / f"{name}.py" for folder in folders if (folder / f"{name}.py").is_file()]
    if name in NO_METHODS or not candidates:
        names = known(study)
        close = difflib.get_close_matches(name, names, n=1)
        hint = f" (did you mean {close[0]!r}?)" if close else ""
        raise CellarError(f"no method is called {name!r}{hint}; known: {', '.join(names)}")
    return paths.in_project(candidates[0])


def load(name: str, study: str | None = None) -> "type[Method]":
    """The class of a method. Imports torch."""
    method: type[Method] = files.load_module(file_of(name, study)).METHOD
    return method


def resolve(settings: dict[str, Any], study: str | None = None) -> dict[str, Any]:
    """A `method` mapping of params.yaml, checked, with the defaults of the method's parameters filled in.

    Raises CellarError, one line, for an unknown method, an unknown or missing key, or a value out of range.
    """
    name = str(settings.get("name"))
    method = load(name, study)
    try:
        params = method.Params.model_validate({key: value for key, value in settings.items() if key != "name"})
    except ValidationError as error:
        raise CellarError(": ".join(filter(None, (f"method {name}", *explain(error, method.Params))))) from None
    return {"name": name, **params.model_dump(mode="json")}


def prediction_kind(file: str | Path) -> str:
    """What a method predicts on the test split: the `prediction_kind` of its file's class, read without importing torch."""
    return declared(Path(file), "prediction_kind", Path(file).stat().st_mtime_ns) or "classes"


def needs_teacher(file: str | Path) -> str:
    """The `needs_teacher` that a method's own file states; "" if it leaves it to its base. Read without importing torch."""
    return declared(Path(file), "needs_teacher", Path(file).stat().st_mtime_ns)


@cache
def declared(file: Path, name: str, changed: int) -> str:
    for node in ast.walk(paths.parsed(file)):
        if isinstance(node, ast.AnnAssign | ast.Assign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            named = any(isinstance(target, ast.Name) and target.id == name for target in targets)
            if named and isinstance(node.value, ast.Constant):
                return str(node.value.value)
    return ""


def code_of(file: str | Path) -> list[Path]:
    """A method's own files, and those of networks and data that they import; paths in the project."""
    own = own_files(file)
    used = [path for one in own for path in sources(one) if path.parent != HERE]
    return list(dict.fromkeys(map(paths.in_project, [*own, *used])))


def own_files(file: str | Path) -> list[Path]:
    """A method's file, and those of this folder and of studies that it is built on, but for those that all are built on."""
    found = [Path(file)]
    for one in found:  # which grows
        found += [path for path in sources(one) if is_own(path) and path not in found]
    return found


def is_own(path: Path) -> bool:
    return path.is_relative_to(paths.STUDIES) or (path.parent == HERE and path.stem not in COMMON)


def sources(file: Path) -> list[Path]:
    """The files of methods, networks, data and studies that a file imports."""
    return paths.imported(paths.source_file(file))

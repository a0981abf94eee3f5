"""The structure of the engine: imports point one way, and nothing in it knows a paper."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cellar import studies

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "src/cellar"
MODULES = sorted(PACKAGE.rglob("*.py"))
LAYERS = [  # from the top; a module may import from its own room and from rooms below
    {"__main__"},
    {"cli"},
    {"report", "doctor"},
    {"provenance"},
    {"pipeline"},
    {"figures"},
    {"tables"},
    {"studies"},
    {"schema"},
    {"deployment"},
    {"methods"},
    {"engine"},
    {"models"},
    {"data"},
    {"config", "metrics"},
    {"files", "paths", "seeding"},
    {"errors"},
]
MOST_NAMES = 21  # directly under src/cellar

# Public file layouts and the constants that go with them; a network's name may hold that of its data set.
KNOW_LAYOUTS = ("config", "data", "models", "doctor/data_sets.py", "pipeline/stages/make_synthetic.py")
FORBIDDEN = {
    "a study": "|".join(path.parent.name for path in (ROOT / "studies").glob("*/study.py")),
    "a paper": r"mini-resemotenet|small-dataset|small dataset|datasci223|the cifar-100 report",
    "a paper's table or figure": r"\btable[_ ]?(i|ii|iii|iv|v|vi|[0-9])\b|\b(fig|figure)[_ ]?[0-9]+\b|(cifar100|pins)_(table|fig)",
    "a paper's data set": r"\b(fer2013|raf_db|cifar100)\b|\bfer-?2013\b|\braf-db\b|\bcifar-100\b|(?<![a-z])pins(?![a-z])",
}


def room(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def layer(name: str) -> int:
    return next(depth for depth, rooms in enumerate(LAYERS) if name in rooms)


def statements(tree: ast.AST) -> Iterator[ast.AST]:
    """All nodes but those under `if TYPE_CHECKING:`, which is never run."""
    for node in ast.iter_child_nodes(tree):
        if not (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"):
            yield node
            yield from statements(node)


def imported(path: Path) -> set[str]:
    """The modules that a file imports, at the top or in a function."""
    names: set[str] = set()
    for node in statements(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        if isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


def rooms_imported(path: Path) -> set[str]:
    parts = [name.split(".") for name in imported(path) if name.startswith("cellar.")]
    return {part[1] for part in parts if (PACKAGE / part[1]).exists() or (PACKAGE / f"{part[1]}.py").exists()}


def literals(path: Path) -> Iterator[tuple[int, str]]:
    """(line, text) of every string that is no docstring."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    owners = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, owners) and node.body and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            yield node.lineno, node.value


def short(path: Path) -> str:
    return str(path.relative_to(PACKAGE))


@pytest.mark.parametrize("path", MODULES, ids=short)
def test_imports_point_one_way(path: Path) -> None:
    if room(path) == "__init__":
        return
    for other in rooms_imported(path) - {room(path)}:
        below = layer(other) > layer(room(path))
        assert below, f"{room(path)} imports {other}, which is above it"


def test_every_room_has_a_layer() -> None:
    assert {room(path) for path in MODULES} - {"__init__"} == set().union(*LAYERS)


def test_few_names_lie_directly_in_the_package() -> None:
    names = [path for path in PACKAGE.iterdir() if path.name not in ("__init__.py", "__pycache__")]
    assert len(names) <= MOST_NAMES


@pytest.mark.parametrize("path", MODULES, ids=short)
def test_nothing_imports_a_study(path: Path) -> None:
    assert not {name for name in imported(path) if name.split(".")[0] == studies.PACKAGE}


@pytest.mark.parametrize("path", MODULES, ids=short)
def test_no_literal_names_a_paper(path: Path) -> None:
    named = []
    for what, pattern in FORBIDDEN.items():
        if what == "a paper's data set" and short(path).startswith(KNOW_LAYOUTS):
            continue
        named += [f"line {line}: {text!r} names {what}" for line, text in literals(path) if re.search(pattern, text, re.I)]  # fmt: skip
    assert not named


def test_evaluations_and_trainings_start_without_slow_libraries() -> None:
    """Together they would take two seconds; a small evaluation computes for less than one."""
    methods = [f"cellar.methods.{path.stem}" for path in PACKAGE.joinpath("methods").glob("*.py")]
    code = f"import {', '.join(['sys', 'cellar.engine.evaluate', 'cellar.tables', *methods])}\n"
    code += (
        "print({'pandas', 'scipy', 'sklearn', 'matplotlib', 'torchvision', 'dvc', 'torch._dynamo'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"

"""Imports go downwards only: what is below never asks what is above."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "src/cellar"
LAYERS = [  # from the top; a module may import from its own layer and from those below
    {"__main__"},
    {"report", "doctor"},
    {"provenance"},
    {"pipeline"},
    {"figures"},
    {"tables"},
    {"methods", "engine"},
    {"models"},
    {"data"},
    {"config", "metrics", "safe_pickle"},
    {"files", "paths", "seeding"},
    {"errors", "wording"},
]
# config checks model names against the registry, which imports nothing but errors.
ALLOWED = {("config", "models"), ("provenance", "doctor")}


def layer(room: str) -> int:
    return next(depth for depth, rooms in enumerate(LAYERS) if room in rooms)


def rooms_imported(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module] if node.module != "cellar" else [f"cellar.{a.name}" for a in node.names]
        found |= {name.split(".")[1] for name in names if name.startswith("cellar.")}
    return found


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_go_downwards(path: Path) -> None:
    room = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    if room == "__init__":
        return
    for other in rooms_imported(path) - {room}:
        assert layer(other) >= layer(room) or (room, other) in ALLOWED, f"{room} imports {other}, which is above it"


def test_every_room_has_a_layer() -> None:
    rooms = {p.relative_to(PACKAGE).parts[0].removesuffix(".py") for p in PACKAGE.rglob("*.py")} - {"__init__"}
    assert rooms == set().union(*LAYERS)

"""Imports go downwards only: what is below never asks what is above."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "src/cellar"
LAYERS = [  # from the top; a module may import from its own layer and from those below
    {"__main__"},
    {"crate", "report", "stages", "plan", "pipeline_files", "code_lists", "proof", "doctor", "real_runs", "findings"},
    {"figures"},
    {"tables"},
    {"objectives", "judges"},
    {"training", "teacher_cache", "samplers", "maml"},
    {
        "evaluation",
        "costs",
        "checkpoints",
        "descent",
        "distributed",
        "logit_store",
        "generation",
        "face_images",
        "grades",
    },
    {
        "audit",
        "datasets",
        "models",
        "losses",
        "views",
        "random_views",
        "transforms",
        "metrics",
        "feature_metrics",
        "statistics",
        "devices",
        "sources",
        "progress",
    },
    {"params", "provenance"},
    {"revisions"},
    {"bounded_pickle", "files", "paths", "seeding", "strict_yaml", "mistakes", "errors", "wording"},
]
# params checks model names against the registry, which imports nothing but errors.
ALLOWED = {("params", "models")}


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

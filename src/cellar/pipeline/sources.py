"""Which source files a stage's code consists of, read off its imports.

A stage depends on the modules it uses, one by one, so that a change re-runs what it can change and no more.
"""

import ast
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).parent.parent
ROOT = PACKAGE.parent.parent

# These carry words about, not numbers: names of modules, what went wrong, which parameters were read (their values
# are dependencies of their own). Every run.json still holds the hash of the whole package.
PLUMBING = {
    "cellar",
    "cellar.data",
    "cellar.data.augmentation",
    "cellar.data.audit",
    "cellar.data.readers",
    "cellar.data.synthetic",
    "cellar.engine",
    "cellar.engine.run_record",
    "cellar.errors",
    "cellar.figures",
    "cellar.methods",
    "cellar.metrics",
    "cellar.models",
    "cellar.models.checkpoint_files",
    "cellar.models.stylegan2",
    "cellar.paths",
    "cellar.pipeline",
    "cellar.pipeline.stages",
    "cellar.safe_pickle",
    "cellar.tables",
}


def is_plumbing(module: str) -> bool:
    """Whether no stage depends on a module; of the parameter reader none of its parts."""
    return module in PLUMBING or module.startswith("cellar.config.")


@cache
def modules_of(*entries: str) -> tuple[str, ...]:
    """Source files, relative to the project, of the modules named and of all they import of this package."""
    found: set[str] = set()
    waiting = list(entries)
    while waiting:
        module = waiting.pop()
        if module not in found and not is_plumbing(module):
            found.add(module)
            waiting.extend(imports_of(module))
    return tuple(sorted(str(path_of(module).relative_to(ROOT)) for module in found))


@cache
def imports_of(module: str) -> tuple[str, ...]:
    """Modules of this package that `module` imports, at the top or inside a function; packages included."""
    found: list[str] = []
    for node in ast.walk(ast.parse(path_of(module).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return tuple(name for name in found if name.split(".")[0] == "cellar" and is_module(name))


def is_module(name: str) -> bool:
    return path_of(name).exists()


def path_of(module: str) -> Path:
    """src/cellar/x.py, or src/cellar/x/__init__.py for a package."""
    base = PACKAGE.joinpath(*module.split(".")[1:])
    return base / "__init__.py" if base.is_dir() else base.with_suffix(".py")

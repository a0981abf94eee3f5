"""JSON schemas of params.yaml and of the files that it is composed from: editors complete keys, explain and check them.

They are generated from the types that Cellar itself reads these files with. What only several entries together show, such
as a name that is declared nowhere, is not in them: `cellar plan --check` reports it.
"""

import json
from pathlib import Path
from typing import Any

from cellar import files, paths
from cellar.errors import CellarError

WHOLE = Path("params.schema.json")  # of params.yaml
PART = paths.STUDIES / "params.schema.json"  # of studies/<study>/params/*.yaml


def write() -> list[Path]:
    """Write the files that are not current, and return them."""
    texts = outdated()
    for path, text in texts.items():
        files.write_text(path, text)
    return list(texts)


def outdated() -> dict[Path, str]:
    """Path -> text of every schema that is missing or differs from what the types say now.

    Raises CellarError outside a project.
    """
    from cellar.schema import generated  # imports torch, for the methods' parameters

    if not paths.STUDIES.is_dir():
        raise CellarError(f"{paths.STUDIES} does not exist; run inside the project")
    texts = {WHOLE: as_text(generated.whole()), PART: as_text(generated.part())}
    return {path: text for path, text in texts.items() if not path.exists() or read(path) != text}


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")  # what is not UTF-8 is written anew


def as_text(schema: dict[str, Any]) -> str:
    return json.dumps(schema, indent=1, ensure_ascii=False) + "\n"

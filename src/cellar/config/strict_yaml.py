"""YAML as params.yaml is read: a key given twice is an error, and every error is one line with its place."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from cellar.errors import CellarError

# A float in YAML 1.2, which DVC writes, and the characters that it begins with. PyYAML reads YAML 1.1, where 1e-05 is text.
FLOAT = r"([-+]?(\.\d+|\d+(\.\d*)?)([eE][-+]?\d+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN))$"
FLOAT_BEGINS = "+-.0123456789"


class StrictLoader(yaml.SafeLoader):
    """YAML in which a key given twice is an error, not a silent choice, and 1e-05 is a number."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        self.flatten_mapping(node)
        seen: set[Any] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if key in seen:
                raise yaml.constructor.ConstructorError(None, None, f"{key!r} is given twice", key_node.start_mark)
            seen.add(key)
        return super().construct_mapping(node, deep)


StrictLoader.add_implicit_resolver("tag:yaml.org,2002:float", re.compile(FLOAT), list(FLOAT_BEGINS))


def read_yaml(path: Path) -> Any:
    with one_line_errors(path):
        return yaml.load(path.read_text(encoding="utf-8"), Loader=StrictLoader)


@contextmanager
def one_line_errors(path: Path) -> Iterator[None]:
    """What goes wrong when `path` is read, as one CellarError line."""
    try:
        yield
    except FileNotFoundError:
        raise CellarError(
            f"{path} does not exist; run inside the project, or take it back: git checkout {path}"
        ) from None
    except UnicodeDecodeError:
        raise CellarError(f"{path} is not UTF-8 text; save it as UTF-8") from None
    except yaml.MarkedYAMLError as error:
        at = f" line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise CellarError(f"{path}:{at} is not YAML: {error.problem}; correct that line") from None

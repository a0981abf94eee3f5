"""YAML as params.yaml is read: UTF-8, a key given twice is an error, and every error is one line with its place."""

import codecs
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from cellar.errors import CellarError, reason

# A float in YAML 1.2, which DVC writes, and the characters that it begins with. PyYAML reads YAML 1.1, where 1e-05 is text.
FLOAT = r"([-+]?(\.\d+|\d+(\.\d*)?)([eE][-+]?\d+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN))$"
FLOAT_BEGINS = "+-.0123456789"
MARKS = {  # what a text of another encoding begins with; that of UTF-32 begins as that of UTF-16
    codecs.BOM_UTF32_LE: "UTF-32",
    codecs.BOM_UTF32_BE: "UTF-32",
    codecs.BOM_UTF16_LE: "UTF-16",
    codecs.BOM_UTF16_BE: "UTF-16",
}
UNMERGED = re.compile(r"^(<<<<<<<|>>>>>>>|=======$)", re.MULTILINE)


class StrictLoader(yaml.SafeLoader):
    """YAML in which a key given twice is an error, not a silent choice, and 1e-05 is a number."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        self.flatten_mapping(node)
        seen: set[Any] = set()
        for key_node, _ in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                raise yaml.constructor.ConstructorError(None, None, "a key is plain text", key_node.start_mark)
            key = self.construct_object(key_node, deep=True)
            if key in seen:
                raise yaml.constructor.ConstructorError(None, None, f"{key!r} is given twice", key_node.start_mark)
            seen.add(key)
        return super().construct_mapping(node, deep)


StrictLoader.add_implicit_resolver("tag:yaml.org,2002:float", re.compile(FLOAT), list(FLOAT_BEGINS))


def read_yaml(path: Path) -> Any:
    with one_line_errors(path):
        return yaml.load(read_text(path), Loader=StrictLoader)


def read_text(path: Path) -> str:
    """A text file with lines that end in \\n, without a byte order mark. Raises CellarError unless it is UTF-8, and merged."""
    data = path.read_bytes()
    other = next((name for mark, name in MARKS.items() if data.startswith(mark)), "UTF-16" if b"\0" in data[:2] else "")
    if other:
        raise CellarError(f"{path}: it is {other} text; save it as UTF-8")
    try:
        text = data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise CellarError(f"{path}: line {line} is not UTF-8 text; save the file as UTF-8") from None
    if unmerged := UNMERGED.search(text):
        line = line_of(text, unmerged.start())
        raise CellarError(f"{path}: line {line} is of a merge that is not finished; keep one side, see: git status")
    return text


def line_of(text: str, position: int) -> int:
    return text.count("\n", 0, position) + 1


@contextmanager
def one_line_errors(path: Path) -> Iterator[None]:
    """What goes wrong when `path` is read, as one CellarError line."""
    try:
        yield
    except FileNotFoundError:
        raise CellarError(
            f"{path} does not exist; run inside the project, or take it back: git checkout {path}"
        ) from None
    except OSError as error:
        raise CellarError(f"{path} cannot be read ({error.strerror}); mend that, then run again") from None
    except yaml.MarkedYAMLError as error:
        at = f" line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise CellarError(f"{path}:{at} is not YAML: {error.problem}; correct that line") from None
    except yaml.reader.ReaderError as error:
        line = line_of(read_text(path), error.position)
        raise CellarError(f"{path}: line {line} has a control character, {error.character:#x}; take it out") from None
    except (ValueError, RecursionError) as error:  # of a date that no calendar has, of nesting without end
        raise CellarError(f"{path} is not YAML: {reason(error)}; correct it") from None

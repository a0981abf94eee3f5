"""A parameter file of a study, read with what its values alone do not show: their comments, spelling and file."""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from cellar.config.strict_yaml import StrictLoader, one_line_errors, read_text
from cellar.config.validation_errors import quote

MERGE = "tag:yaml.org,2002:merge"
PLAIN = re.compile(r"[A-Za-z0-9_./+][A-Za-z0-9_./+ -]*")  # text that needs no quotes anywhere in YAML
FOR_EDITORS = "# yaml-language-server:"  # begins the line that names the schema of a file (cellar.schema)
BESIDE = re.compile(r"(?:^|\s)(#.*)$")


@dataclass(frozen=True)
class Entry:
    """A value of a parameter file: a mapping of entries, or a scalar or list with the `text` it was written as.

    `above` and `beside`: the comment lines before its key, and the comment at the end of that key's line.
    """

    value: Any
    source: Path
    text: str = ""
    above: tuple[str, ...] = ()
    beside: str = ""

    @property
    def is_mapping(self) -> bool:
        return isinstance(self.value, dict)


Tree = dict[str, Entry]


@dataclass(frozen=True)
class StudyFile:
    """`header`: the comment at the top of the file, if an empty line follows it, without the line for editors."""

    tree: Tree = field(default_factory=dict)
    header: tuple[str, ...] = ()


def read_study_file(path: Path) -> StudyFile:
    """Raises CellarError, one line, where the file is not there or not a YAML mapping."""
    with one_line_errors(path):
        reader = Reader(path, read_text(path))
        node = reader.loader.get_single_node()
        return StudyFile(reader.tree(node, commented=True) if node else {}, said(reader.header))


def plain(entry: Entry) -> Any:
    """The value without comments, spelling and file."""
    return {key: plain(child) for key, child in entry.value.items()} if entry.is_mapping else entry.value


class Reader:
    """Turns the nodes of a YAML file into entries."""

    def __init__(self, path: Path, text: str) -> None:
        self.path, self.lines = path, text.splitlines()
        self.loader = StrictLoader(text)
        comment = list(leading_comments(self.lines))
        follows = self.lines[len(comment) : len(comment) + 1]
        self.header = tuple(comment) if not "".join(follows).strip() else ()

    def tree(self, node: yaml.Node, commented: bool) -> Tree:
        """The entries of a mapping; comments only where the mapping is written, not where an alias repeats it."""
        if not isinstance(node, yaml.MappingNode):
            raise error_at(node, "a mapping is expected here")
        return {key: self.entry(key_node if commented else None, value) for key, key_node, value in self.pairs(node)}

    def pairs(self, node: yaml.MappingNode) -> Iterator[tuple[str, yaml.Node | None, yaml.Node]]:
        """(key, its node, value) of a mapping, after what `<<` merges into it, whose keys have no node of their own."""
        own: dict[str, tuple[yaml.Node | None, yaml.Node]] = {}
        merged: dict[str, tuple[yaml.Node | None, yaml.Node]] = {}
        for key_node, value in node.value:
            if key_node.tag == MERGE:
                for part in value.value if isinstance(value, yaml.SequenceNode) else [value]:
                    merged = {**{key: (None, below) for key, _, below in self.pairs(part)}, **merged}
                continue
            key = self.loader.construct_object(key_node)
            if not isinstance(key, str):
                raise error_at(key_node, f"the key {key!r} is not text to YAML; {quote(key)}")
            if key in own:
                raise error_at(key_node, f"{key!r} is given twice")
            own[key] = key_node, value
        for key, (node_of_key, value) in {**merged, **own}.items():
            yield key, node_of_key, value

    def entry(self, key_node: yaml.Node | None, node: yaml.Node) -> Entry:
        above, beside = (self.above(key_node), self.beside(key_node, node)) if key_node else ((), "")
        if isinstance(node, yaml.MappingNode):
            written_here = key_node is not None and node.start_mark.index > key_node.start_mark.index
            return Entry(self.tree(node, written_here), self.path, "", above, beside)
        value = self.loader.construct_object(node, deep=True)
        return Entry(value, self.path, flow_text(node, value), above, beside)

    def above(self, key_node: yaml.Node) -> tuple[str, ...]:
        """The comment lines between the content before a key and the key, the file's header excepted."""
        end = start = key_node.start_mark.line
        while start > len(self.header) and self.lines[start - 1].strip()[:1] in ("", "#"):
            start -= 1
        return said(line.strip() for line in self.lines[start:end])

    def beside(self, key_node: yaml.Node, node: yaml.Node) -> str:
        """The comment at the end of a key's line."""
        mark = key_node.end_mark
        if not isinstance(node, yaml.MappingNode) or node.flow_style:
            mark = node.end_mark if node.end_mark.line == mark.line else mark
        match = BESIDE.search(self.lines[key_node.start_mark.line][mark.column :])
        return match.group(1) if match else ""


def said(lines: Iterable[str]) -> tuple[str, ...]:
    """The comment lines that are for readers."""
    return tuple(line for line in lines if line and not line.startswith(FOR_EDITORS))


def leading_comments(lines: list[str]) -> Iterator[str]:
    for line in lines:
        if not line.startswith("#"):
            return
        yield line.rstrip()


def error_at(node: yaml.Node, problem: str) -> yaml.MarkedYAMLError:
    return yaml.constructor.ConstructorError(None, None, problem, node.start_mark)


def flow_text(node: yaml.Node, value: Any) -> str:
    """A scalar or list on one line; numbers as they were written (0.20, not 0.2)."""
    if isinstance(node, yaml.SequenceNode):
        return f"[{', '.join(flow_text(child, item) for child, item in zip(node.value, value, strict=True))}]"
    if isinstance(value, str | dict):
        return text_of(value)
    return str(node.value)


def text_of(value: Any) -> str:
    """Text as YAML, without quotes where it is safe; anything else as JSON, which YAML reads too."""
    if isinstance(value, str) and PLAIN.fullmatch(value) and yaml.load(value, Loader=StrictLoader) == value:
        return value
    return json.dumps(value, ensure_ascii=False)

"""params.yaml as text: sections in block style, each line of a section in flow style where 120 columns allow it."""

import textwrap
from collections.abc import Iterator

from cellar.config.study_file import Entry, Tree, text_of

WIDTH = 120
BLOCK_LEVELS = {"datasets": 1, "studies": 3}  # how many levels below a key stand in block style


def document(root: Tree) -> str:
    """YAML of the whole file. The same tree gives the same bytes."""
    parts = [list(written(key, entry, 0, BLOCK_LEVELS.get(key, 0))) for key, entry in root.items()]
    lines: list[str] = []
    for index, part in enumerate(parts):
        if index and max(len(part), len(parts[index - 1])) > 1:
            lines.append("")
        lines += part
    return "\n".join(lines) + "\n"


def written(key: str, entry: Entry, indent: int, levels: int) -> Iterator[str]:
    """The lines of one entry, its comments included."""
    pad = " " * indent
    for comment in entry.above:
        yield pad + comment
    name = f"{pad}{text_of(key)}:"
    if not entry.is_mapping or not entry.value:
        yield from scalar(name, entry, indent)
    elif levels == 0 and (lines := flow_lines(name, entry, indent)):
        yield from lines
    else:
        yield with_comment(name, entry.beside)
        for index, (child, below) in enumerate(entry.value.items()):
            if levels > 1 and index:  # sections and studies stand apart
                yield ""
            yield from written(child, below, indent + 2, max(levels - 1, 0))


def scalar(name: str, entry: Entry, indent: int) -> Iterator[str]:
    """A value on its key's line, or folded below it where it is a long text."""
    line = f"{name} {'{}' if entry.is_mapping else entry.text}"
    text = entry.value
    if len(line) <= WIDTH or not isinstance(text, str) or text != " ".join(text.split()):
        yield with_comment(line, entry.beside)
        return
    yield with_comment(f"{name} >-", entry.beside)
    pad = " " * (indent + 2)
    yield from textwrap.wrap(
        text, WIDTH, initial_indent=pad, subsequent_indent=pad, break_long_words=False, break_on_hyphens=False
    )


def with_comment(line: str, comment: str) -> str:
    return f"{line}  {comment}" if comment else line


def flow_lines(name: str, entry: Entry, indent: int) -> list[str]:
    """A mapping in flow style, broken between its items; [] where a comment or a long item needs block style."""
    if any(has_comment(child) for child in entry.value.values()):
        return []
    line = with_comment(f"{name} {flow(entry)}", entry.beside)
    if len(line) <= WIDTH:
        return [line]
    items = [f"{text_of(key)}: {flow(child)}" for key, child in entry.value.items()]
    lines = [f"{name} {{{items[0]}"]
    for item in items[1:]:
        if len(lines[-1]) + len(item) + 4 <= WIDTH:  # a comma and a space before it, a brace or a comma after it
            lines[-1] += f", {item}"
        else:
            lines[-1] += ","
            lines.append(" " * (indent + 2) + item)
    lines[-1] += "}"
    if max(map(len, lines)) > WIDTH:
        return []
    return [f"{' ' * indent}{entry.beside}", *lines] if entry.beside else lines


def has_comment(entry: Entry) -> bool:
    below = any(has_comment(child) for child in entry.value.values()) if entry.is_mapping else False
    return bool(entry.above or entry.beside) or below


def flow(entry: Entry) -> str:
    if not entry.is_mapping:
        return entry.text
    return "{" + ", ".join(f"{text_of(key)}: {flow(child)}" for key, child in entry.value.items()) + "}"

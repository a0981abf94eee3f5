"""Markdown pages of results as HTML: no raw HTML, no pictures to load, links as plain words."""

from pathlib import Path

from markdown_it import MarkdownIt
from markupsafe import Markup


def read(path: Path) -> tuple[str, Markup]:
    """The first heading, without its marks, and everything else."""
    lines = path.read_text(encoding="utf-8").splitlines()
    heading = next((i for i, line in enumerate(lines) if line.startswith("# ")), None)
    title = path.stem if heading is None else lines.pop(heading).removeprefix("# ")
    return title, Markup(reader().render("\n".join(lines)))


def reader() -> MarkdownIt:
    made = MarkdownIt("commonmark", {"html": False}).enable("table").disable("image")
    for rule in ("link_open", "link_close"):
        made.renderer.rules[rule] = lambda *_: ""  # type: ignore[attr-defined]
    return made

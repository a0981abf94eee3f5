"""Table `contradictions`: where the papers contradict themselves, their code or arithmetic, as the checks find it."""

import re

from cellar import files, paths
from cellar.config import Params
from cellar.errors import CellarError
from cellar.tables import reference
from cellar.tables.cells import Cell, Column, Row, Table
from cellar.tables.contradictions import register
from cellar.tables.contradictions.paper import Finding, Paper
from cellar.tables.printed import ALL

ID = "contradictions"
COLUMNS = [
    Column("kind", "kind"),
    Column("printed", "what is printed"),
    Column("follows", "what follows"),
    Column("arithmetic", "by which arithmetic"),
]
NOTES = [
    "Each line is found by a check of the printed values (src/cellar/tables/contradictions, one file a kind); none is typed. "
    "None of our measurements is needed: the lines hold at any scale.",
    "A contradiction is no verdict on a result. It says that two things a paper prints, or a paper and its authors' "
    "code, cannot both be so as they stand; what is taken here stands in docs/readings.md.",
]


def inputs(params: Params, shown: list[str]) -> list[str]:
    return [str(paths.REFERENCE), str(paths.MODEL_COUNTS)]


def build(params: Params, shown: list[str]) -> Table:
    text, counts = read_reference(), files.read_json(paths.MODEL_COUNTS)
    rows = []
    for study in ALL:
        found = register.findings(Paper(study, text, counts))
        rows += [row(study, one) for one in found]
    title = "Contradictions: where the papers disagree with themselves"
    return Table(ID, title, reference.ALL_STUDIES, params.scale.model_dump(), NOTES, COLUMNS, rows)


def read_reference() -> str:
    try:
        return paths.REFERENCE.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise CellarError(f"{paths.REFERENCE} is not here; take it back: git checkout {paths.REFERENCE}") from None


def row(study: str, one: Finding) -> Row:
    """Sections are kinds; a line is named by its study, kind and place, so that others may come and go."""
    cells = {
        "kind": Cell("derived", one.kind),
        "printed": Cell("reported", one.printed),
        "follows": Cell("derived", one.follows, metrics=[str(paths.REFERENCE)]),
        "arithmetic": Cell("derived", one.arithmetic),
    }
    name = re.sub(r"\W+", "_", f"{one.kind} {one.place}").strip("_")
    return Row(f"{study}.{name}", f"{one.kind}: {one.place}", cells)

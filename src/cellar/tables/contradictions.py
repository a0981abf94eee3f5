"""Table `contradictions`: where papers contradict themselves, their authors' code or arithmetic, as the checks find it."""

import re

from cellar import files, paths, studies
from cellar.config import Config
from cellar.studies import ALL_STUDIES, Study
from cellar.tables.cells import Cell, Column, Row, Table
from cellar.tables.checks import Finding
from cellar.tables.printed_values import Paper, paper, read

ID = "contradictions"
COLUMNS = [
    Column("kind", "kind"),
    Column("printed", "what is printed"),
    Column("follows", "what follows"),
    Column("arithmetic", "by which arithmetic"),
]
NOTES = [
    "Each line is found by a check of the printed values (studies/*/checks and src/cellar/tables/checks, one file a "
    "kind); none is typed. None of our measurements is needed: the lines hold at any scale.",
    "A contradiction is no verdict on a result. It says that two things a paper prints, or a paper and its authors' "
    "code, cannot both be so as they stand; which reading is taken here is in the README of each study.",
]


def inputs(config: Config) -> list[str]:
    used = studies.used(config)
    counted = [str(paths.model_counts(study.key)) for study in used if study.networks]
    return [*(str(paths.printed(study.key)) for study in used), *counted]


def build(config: Config) -> Table:
    rows = []
    for study in studies.used(config):
        paper(study.key)  # which names the file if it cannot be read
        printed = Paper(study.key, read(study.key), counts_of(study))
        rows += [row(study.key, finding) for check in study.checks for finding in check(printed)]
    title = "Contradictions: where the papers disagree with themselves"
    return Table(ID, title, ALL_STUDIES, config.scale.model_dump(), NOTES, COLUMNS, rows)


def counts_of(study: Study) -> dict[str, dict[str, float]]:
    counts: dict[str, dict[str, float]] = files.read_json(paths.model_counts(study.key)) if study.networks else {}
    return counts


def row(study: str, finding: Finding) -> Row:
    """Sections are kinds; a line is named by its study, kind and place, so that others may come and go."""
    cells = {
        "kind": Cell("derived", finding.kind),
        "printed": Cell("reported", finding.printed),
        "follows": Cell("derived", finding.follows, metrics=[str(paths.printed(study))]),
        "arithmetic": Cell("derived", finding.arithmetic),
    }
    name = re.sub(r"\W+", "_", f"{finding.kind} {finding.place}").strip("_")
    return Row(f"{study}.{name}", f"{finding.kind}: {finding.place}", cells)

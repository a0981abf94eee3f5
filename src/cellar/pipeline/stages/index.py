"""`index`: results/index.md, a page with a link to every table and figure, and how many printed values each reproduces.

It reads all of them, so plain `dvc repro` at the root builds everything.
"""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cellar import paths
from cellar.config import Config
from cellar.config.section import Section
from cellar.pipeline.stage import Facts, Job, StageKind

VERDICTS = ("reproduced", "differs", "paper inconsistent", "not comparable")


class Settings(Section):
    """Sections of the page by study, "" for what is collected over all of them: title, tables, figures."""

    titles: dict[str, str]
    tables: dict[str, list[str]]
    figures: dict[str, list[str]]


def jobs(config: Config) -> Iterator[Job]:
    from cellar.pipeline import runs
    from cellar.pipeline.stages import plot, tabulate

    shown = {kind.name: [job for job in kind.jobs(config) if not job.sweep] for kind in (tabulate.KIND, plot.KIND)}
    evaluated = [
        *(str(paths.metrics("teachers", name, seed)) for _, name, _, seed in runs.teachers(config)),
        *(
            str(paths.metrics("students", f"{params.study}/{name}", seed))
            for params, name, _, seed, sweep in runs.experiments(config)
            if not sweep
        ),
    ]
    tables = [str(paths.TABLES / f"{job.item}.json") for job in shown["tabulate"]]
    pictures = [str(paths.FIGURES / f"{job.item}.png") for job in shown["plot"]]
    settings = Settings(
        titles=titles(config), tables=by_study(shown["tabulate"], config), figures=by_study(shown["plot"], config)
    )
    yield Job("", "", settings, (*tables, *pictures, *evaluated))


def titles(config: Config) -> dict[str, str]:
    """In the order of params.yaml."""
    from cellar import studies

    known = studies.known()
    return {key: known[key].name if key in known else key for key in config.studies} | {"": "All studies"}


def by_study(shown: list[Job], config: Config) -> dict[str, list[str]]:
    return {study: [job.item for job in shown if job.study == study] for study in (*config.studies, "")}


def run(settings: Settings) -> Facts:
    from cellar import files

    lines = ["# Results", ""]
    for study, title in settings.titles.items():
        tables, figures = settings.tables[study], settings.figures[study]
        if not (tables or figures):
            continue
        lines += [f"## {title}", "", f"| table | {' | '.join(VERDICTS)} |", f"|---|{'---:|' * len(VERDICTS)}"]
        lines += [row(table) for table in tables]
        lines += ["", *(f"* [{figure}](figures/{figure}.png)" for figure in figures), ""]
    files.write_text(paths.INDEX, "\n".join(lines))
    return {}


def row(table: str) -> str:
    from cellar import files

    found = files.read_json(paths.TABLES / f"{table}.json")
    counts = Counter(str(verdict) for verdict in verdicts_of(found))
    shown = [str(counts[verdict]) if counts[verdict] else "" for verdict in VERDICTS]
    return f"| [{found['title']}](tables/{Path(table)}.md) | {' | '.join(shown)} |"


def verdicts_of(table: dict[str, Any]) -> Iterator[str]:
    """One a cell that stands beside a printed value."""
    for line in table["rows"]:
        yield from (cell["verdict"] for cell in line["cells"].values() if cell.get("verdict"))


KIND = StageKind("index", jobs, Settings, run, ("src/cellar/files.py",), tracked=(str(paths.INDEX),))

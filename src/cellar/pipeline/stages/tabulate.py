"""`cellar tabulate TABLE`: one table, as Markdown for people and JSON for programs."""

from cellar import config as parameters
from cellar import paths, tables
from cellar.tables import render


def run(table: str) -> None:
    render.write(tables.build(table, parameters.load()), paths.TABLES)

"""The fabricated projects that tests of tables and figures share."""

from tests.figure_project import figure_template, load
from tests.table_project import project, raw_with_pets, table_template

__all__ = ["figure_template", "load", "project", "raw_with_pets", "table_template"]

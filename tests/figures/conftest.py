"""The fabricated project that tests of figures share."""

from tests.figure_project import figure_template, load

__all__ = ["figure_template", "load"]

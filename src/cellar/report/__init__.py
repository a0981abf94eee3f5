"""results/report.html: one page that shows a run whole, and loads nothing from anywhere.

Reads tables, figures, records and dvc.lock; runs nothing and needs no torch. What is not here yet is left out.
"""

from pathlib import Path

from cellar import files, paths
from cellar.report.page import page


def write(path: Path = paths.REPORT) -> Path:
    """Write the page. Raises CellarError when no table is built, or a table or params.yaml cannot be read."""
    files.write_text(path, page())
    return path

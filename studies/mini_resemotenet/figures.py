"""Figures 3 and 4: images of the seven classes, and confusion matrices. Figures 1 and 2 are diagrams."""

from typing import TYPE_CHECKING

from cellar.config import Params
from cellar.figures.runs import images
from cellar.studies import FigureSpec
from cellar.tables.runs import Runs, student_runs

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LAYOUTS = ("fer2013", "raf_db")  # whose classes are the seven emotions
STUDENTS = ("E1", "E4", "E6")  # of figure 4


def faces(params: Params) -> list[str]:
    """The data sets of the seven emotions that are on, a user's own among them."""
    return [name for name, section in params.datasets.items() if section.enabled and section.layout in LAYOUTS]


def faces_read(params: Params) -> list[str]:
    return [str(path) for name in faces(params) for path in images(name)]


def draw_faces(params: Params) -> "Figure":
    from cellar.figures.samples import rows_of_classes

    return rows_of_classes(params, faces(params), "The seven emotion classes")


def students(params: Params) -> list[Runs]:
    listed = [student_runs(params, "fer2013", row) for row in STUDENTS]
    return [runs for runs in listed if runs]


def metrics_read(params: Params) -> list[str]:
    return [path for runs in students(params) for path in (runs.metrics_files()[0], runs.details_files()[0])]


def draw_confusions(params: Params) -> "Figure":
    from cellar.figures.confusions import confusions

    return confusions(params, students(params), "FER2013 test split: % of the true class, and images")


FIGURES = (
    FigureSpec(
        "fig_3",
        "Figure 3. Images of the seven classes, the first of each in the test split.",
        "figures:draw_faces",
        faces_read,
        is_known=lambda params: bool(faces(params)),
    ),
    FigureSpec(
        "fig_4",
        "Figure 4. Confusion matrices of the students.",
        "figures:draw_confusions",
        metrics_read,
        is_known=lambda params: bool(students(params)),
    ),
)

"""Figures 1, 2 and 3: images of the classes, and the training loss of every step, without and with KD."""

from typing import TYPE_CHECKING

from cellar.config import Params
from cellar.figures.runs import images, step_loss_files
from cellar.studies import FigureSpec
from cellar.tables.runs import is_on, student_runs

from .printed import DATASET

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CODE = ("printed.py", "figures.py")


def images_read(params: Params) -> list[str]:
    return [str(path) for path in images(DATASET)]


def draw_images(params: Params) -> "Figure":
    from cellar.figures.samples import grid_of_classes

    return grid_of_classes(params, DATASET)


def draw_alone(params: Params) -> "Figure":
    return step_losses(params, "student", "without KD")


def draw_with_kd(params: Params) -> "Figure":
    return step_losses(params, "student_kd", "with KD")


def step_losses(params: Params, row: str, title: str) -> "Figure":
    from cellar.figures import steps

    runs = student_runs(params, DATASET, row)
    assert runs, f"the figure is known only where row {row} is listed"
    return steps.step_losses(params, runs, title)


def losses_read(params: Params, row: str) -> list[str]:
    runs = student_runs(params, DATASET, row)
    return step_loss_files(runs) if runs else []


FIGURES = (
    FigureSpec(
        "cifar100_figure_1",
        "Figure 1. One test image of each class.",
        "figures:draw_images",
        images_read,
        is_known=lambda params: is_on(params, DATASET),
        code=CODE,
    ),
    FigureSpec(
        "cifar100_figure_2",
        "Figure 2. Training loss of every step, without a teacher.",
        "figures:draw_alone",
        lambda params: losses_read(params, "student"),
        is_known=lambda params: student_runs(params, DATASET, "student") is not None,
        code=CODE,
    ),
    FigureSpec(
        "cifar100_figure_3",
        "Figure 3. Training loss of every step, with a teacher.",
        "figures:draw_with_kd",
        lambda params: losses_read(params, "student_kd"),
        is_known=lambda params: student_runs(params, DATASET, "student_kd") is not None,
        code=CODE,
    ),
)

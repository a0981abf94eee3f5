"""Figures 2, 3, 4, 8, 9 and 10; the others are diagrams. What each reads; the drawing is imported only to draw."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from cellar import paths
from cellar.config import Params
from cellar.figures.runs import history, images, teachers
from cellar.studies import FigureSpec
from cellar.tables.runs import Runs, experiment_lines, is_on, runs_of, student_runs

from ..printed import DATASET

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PARTS_NETWORK = "resnet50"  # of figure 3
ONE_SHOT, FEATURE_KD = "oneshot_convnet9", "bce_resnet18"  # rows of experiments in figures 8, 9 and 10
CODE = ("printed.py", "figures")


def teacher_of_parts(params: Params) -> str | None:
    """The teacher whose activations figure 3 shows: the first with its network, if possible without a connector."""
    listed = [runs for runs in teachers(params, DATASET) if runs.model.startswith(PARTS_NETWORK)]
    plain = [runs for runs in listed if "+" not in runs.model]
    return next((runs.key for runs in [*plain, *listed]), None)


def one_shot_runs(params: Params) -> Runs | None:
    """The first experiment that learns from triplets."""
    lines = experiment_lines(params, DATASET).items()
    return next((runs_of(params, key, line) for key, line in lines if line.method == "triplets"), None)


def watched_runs(params: Params, row: str) -> Runs | None:
    """The experiment of that row, if its recipe evaluates train or test images after every epoch."""
    runs = student_runs(params, DATASET, row)
    return runs if runs and params.recipes[params.experiment(runs.key).recipe].watch else None


def images_read(params: Params) -> list[str]:
    return [str(path) for path in images(DATASET)]


def activations_read(params: Params) -> list[str]:
    teacher = teacher_of_parts(params)
    return [str(paths.part_activations(teacher))] if teacher else []


def pairs_read(params: Params) -> list[str]:
    runs = one_shot_runs(params)
    return [*([str(Path(runs.prediction_files()[0]))] if runs else []), *images_read(params)]


def history_read(params: Params, row: str) -> list[str]:
    runs = student_runs(params, DATASET, row)
    return [str(history(runs))] if runs else []


def draw_one_shot_accuracy(params: Params) -> "Figure":
    return epoch_curves(params, ONE_SHOT, "One-shot accuracy: share of triplets (%)", "accuracy")


def draw_one_shot_loss(params: Params) -> "Figure":
    return epoch_curves(params, ONE_SHOT, "One-shot loss: triplet loss", "loss")


def draw_feature_kd(params: Params) -> "Figure":
    return epoch_curves(params, FEATURE_KD, "Feature KD with BCE, last layer: macro F1 (%)", "f1")


def epoch_curves(params: Params, row: str, title: str, metric: str) -> "Figure":
    from cellar.figures import epochs

    runs = student_runs(params, DATASET, row)
    assert runs, f"the figure is known only where row {row} is listed"
    return epochs.epoch_curves(params, runs, title, metric)


def is_watched(params: Params, row: str) -> bool:
    return is_on(params, DATASET) and watched_runs(params, row) is not None


FIGURES = (
    FigureSpec(
        "pins_fig_2",
        "Figure 2. Parts cut from faces.",
        "figures.parts:face_parts",
        images_read,
        is_known=lambda params: is_on(params, DATASET),
        code=CODE,
    ),
    FigureSpec(
        "pins_fig_3",
        "Figure 3. t-SNE of a network's activations to parts of faces.",
        "figures.parts:part_map",
        activations_read,
        is_known=lambda params: is_on(params, DATASET) and teacher_of_parts(params) is not None,
        code=CODE,
    ),
    FigureSpec(
        "pins_fig_4",
        "Figure 4. Two faces of one identity and two of different ones.",
        "figures.pairs:face_pairs",
        pairs_read,
        is_known=lambda params: is_on(params, DATASET) and one_shot_runs(params) is not None,
        code=CODE,
    ),
    FigureSpec(
        "pins_fig_8",
        "Figure 8. One-shot accuracy by epoch.",
        "figures:draw_one_shot_accuracy",
        partial(history_read, row=ONE_SHOT),
        is_known=partial(is_watched, row=ONE_SHOT),
        code=CODE,
    ),
    FigureSpec(
        "pins_fig_9",
        "Figure 9. One-shot loss by epoch.",
        "figures:draw_one_shot_loss",
        partial(history_read, row=ONE_SHOT),
        is_known=partial(is_watched, row=ONE_SHOT),
        code=CODE,
    ),
    FigureSpec(
        "pins_fig_10",
        "Figure 10. Macro F1 of feature distillation by epoch.",
        "figures:draw_feature_kd",
        partial(history_read, row=FEATURE_KD),
        is_known=partial(is_watched, row=FEATURE_KD),
        code=CODE,
    ),
)

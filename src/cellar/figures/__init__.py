"""Which figures there are, what each reads, and which module draws it, imported when it is asked for.

Figures 1 and 2 of Mini-ResEmoteNet are diagrams; 3 and 4 hold data. All three of the CIFAR-100 report hold data, and
2, 3, 4, 8, 9 and 10 of the small-dataset study. The training curves, the sweeps' heat maps and the
audits' pairs are ours.
"""

from pathlib import Path

from cellar import paths
from cellar.config import Params
from cellar.tables import sweep
from cellar.tables.runs import Runs, experiment_lines, runs_of, student_runs, teacher_runs_of

CONFUSIONS = ("E1", "E4", "E6")  # the students of the paper's figure 4
FACIAL = ("fer2013", "raf_db")  # layouts, whose classes are the seven emotions
CIFAR, PINS = "cifar100", "pins"
STEP_LOSSES = {"cifar100_figure_2": "student", "cifar100_figure_3": "student_kd"}  # figure -> row of experiments
EPOCH_FIGURES = {"pins_fig_8": "oneshot_convnet9", "pins_fig_9": "oneshot_convnet9", "pins_fig_10": "bce_resnet18"}
AUDIT = "audit_"
PARTS_NETWORK = "resnet50"  # of the study's figure 3
PAINTERS = {  # figure -> the module that draws it, and its function
    "fig_3": ("samples", "emotions"),
    "fig_4": ("confusions", "confusions"),
    "cifar100_figure_1": ("samples", "classes"),
    "pins_fig_2": ("pins_parts", "face_parts"),
    "pins_fig_3": ("pins_parts", "part_map"),
    "pins_fig_4": ("pins_pairs", "face_pairs"),
}


def known(params: Params) -> list[str]:
    """Figures that have something to show: a data set that is on, a student that is listed, a teacher's pupils."""
    found = ["fig_3"] if sampled(params) else []
    found += ["fig_4"] if confused(params) else []
    found += ["cifar100_figure_1"] if CIFAR in params.datasets and params.datasets[CIFAR].enabled else []
    found += [figure for figure, row in STEP_LOSSES.items() if student_runs(params, CIFAR, row)]
    taught = [name for name in params.datasets if name != PINS and teachers(params, name) and lines(params, name)]
    audited = [f"{AUDIT}{name}" for name, section in params.datasets.items() if section.enabled]
    return [*found, *of_pins(params), *(f"curves_{name}" for name in taught), *audited]


def of_pins(params: Params) -> list[str]:
    """The small-dataset study's; its methods have no loss in common, so they share no figure of curves."""
    if PINS not in params.datasets or not params.datasets[PINS].enabled:
        return []
    found = ["pins_fig_2", *(["pins_fig_3"] if teacher_of_parts(params) else [])]
    found += ["pins_fig_4"] if one_shot_runs(params) else []
    return found + [figure for figure, row in EPOCH_FIGURES.items() if watched_runs(params, row)]


def of_sweeps(params: Params) -> list[str]:
    """The heat maps, called as their sweeps; they belong to the sweeps' pipeline."""
    return [name for name, line in params.sweeps.items() if params.is_on(line)]


def painter(figure: str, params: Params) -> tuple[str, str, list[str]]:
    """What draws a figure: a module, its function, and what that is told beside the parameters."""
    module, function, told = "curves", "curves", [figure.removeprefix("curves_")]
    if figure in of_sweeps(params):
        module, function, told = "grids", "heat_maps", [figure]
    elif figure in STEP_LOSSES:
        module, function, told = "steps", "step_losses", [figure]
    elif figure in EPOCH_FIGURES:
        module, function, told = "pins_epochs", "epoch_curves", [figure]
    elif figure.startswith(AUDIT):
        module, function, told = "audit_pairs", "audit_pairs", [figure.removeprefix(AUDIT)]
    elif figure in PAINTERS:
        module, function, told = *PAINTERS[figure], []
    return f"cellar.figures.{module}", function, told


def inputs(figure: str, params: Params) -> list[str]:
    """The files that a figure reads, one by one."""
    if figure in of_sweeps(params):
        return sweep.metrics_files(params, figure)
    if figure == "fig_3":
        return [str(path) for name in sampled(params) for path in images(name)]
    if figure == "cifar100_figure_1":
        return [str(path) for path in images(CIFAR)]
    if figure == "fig_4":
        return [path for runs in confused(params) for path in (runs.metrics_files()[0], runs.details_files()[0])]
    if figure.startswith(AUDIT):
        dataset = figure.removeprefix(AUDIT)
        return [str(paths.audit_pairs(dataset)), *(str(path) for path in images(dataset))]
    if figure.startswith("pins_fig_"):
        return [str(path) for path in inputs_of_pins(figure, params)]
    if figure in STEP_LOSSES:
        runs = student_runs(params, CIFAR, STEP_LOSSES[figure])
        return [str(path) for path in [*loss_files(runs), history(runs)]] if runs else []
    return [str(history(runs)) for runs in lines(params, figure.removeprefix("curves_"))]


def inputs_of_pins(figure: str, params: Params) -> list[Path]:
    if figure in EPOCH_FIGURES:
        trained = student_runs(params, PINS, EPOCH_FIGURES[figure])
        return [history(trained)] if trained else []
    teacher, runs = teacher_of_parts(params), one_shot_runs(params)
    if figure == "pins_fig_3":
        return [paths.part_activations(teacher)] if teacher else []
    pairs = [Path(runs.prediction_files()[0])] if figure == "pins_fig_4" and runs else []
    return [*pairs, *images(PINS)]


def param_keys(figure: str, params: Params) -> list[str]:
    return ["scale", f"sweeps.{figure}"] if figure in of_sweeps(params) else ["scale"]


def images(dataset: str) -> list[Path]:
    return [paths.prepared(dataset) / name for name in ("arrays.npz", "manifest.json")]


def sampled(params: Params) -> list[str]:
    """The facial data sets that are on, a user's own among them."""
    return [name for name, section in params.datasets.items() if section.enabled and section.layout in FACIAL]


def confused(params: Params) -> list[Runs]:
    found = [student_runs(params, "fer2013", row) for row in CONFUSIONS]
    return [runs for runs in found if runs]


def lines(params: Params, dataset: str) -> list[Runs]:
    """The curves of a data set: its teachers, then its experiments. An imported teacher has no epochs to draw."""
    trained = [runs for runs in teachers(params, dataset) if not params.teachers[runs.key].weights]
    students = [runs_of(params, key, line) for key, line in experiment_lines(params, dataset).items()]
    return trained + students


def teacher_of_parts(params: Params) -> str | None:
    """The teacher whose activations the study's figure 3 shows: the first that is its network, connector or not."""
    found = [runs for runs in teachers(params, PINS) if runs.model.startswith(PARTS_NETWORK)]
    plain = [runs for runs in found if "+" not in runs.model]
    return next((runs.key for runs in [*plain, *found]), None)


def one_shot_runs(params: Params) -> Runs | None:
    """The first line that learns from triplets."""
    listed = experiment_lines(params, PINS).items()
    return next((runs_of(params, key, line) for key, line in listed if line.method == "triplets"), None)


def watched_runs(params: Params, row: str) -> Runs | None:
    """The line of that row, if its recipe scores train or test images after every epoch, for a figure to show."""
    runs = student_runs(params, PINS, row)
    return runs if runs and params.recipes[params.experiment(runs.key).recipe].watch else None


def teachers(params: Params, dataset: str) -> list[Runs]:
    return [
        teacher_runs_of(params, key, line)
        for key, line in params.teachers.items()
        if line.dataset == dataset and params.is_on(line)
    ]


def history(runs: Runs) -> Path:
    """Of the first seed."""
    return paths.trained(runs.kind, runs.key, runs.seeds[0]) / "history.csv"


def loss_files(runs: Runs) -> list[Path]:
    """One file a seed: `loss` (steps,) float32."""
    return [paths.trained(runs.kind, runs.key, seed) / "losses.npz" for seed in runs.seeds]

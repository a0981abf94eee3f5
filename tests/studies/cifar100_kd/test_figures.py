"""The CIFAR-100 report's three figures, and training curves without validation images."""

import numpy as np
import pytest

from cellar import figures, files, paths
from cellar.errors import CellarError
from cellar.figures import drawing
from cellar.figures.curves import curves
from tests.figure_project import EPOCHS, OBJECTS, STEPS, Load, Raw, draw, inputs, picture, texts, write_history
from tests.table_project import CIFAR, MINI

ALONE, TAUGHT = "cifar100_figure_2", "cifar100_figure_3"


def test_each_class_shows_its_first_test_image_under_its_name(load: Load) -> None:
    drawn = draw("cifar100_figure_1", load())
    shown = {axes.get_title(): int(np.unique(axes.images[0].get_array())[0]) for axes in drawn.axes}
    first_test = 20 + 2 * len(OBJECTS)  # two rounds of validation images come before
    assert shown == {name.replace("_", " "): (first_test + i) % 256 for i, name in enumerate(OBJECTS)}
    assert "each of the 100 classes" in texts(drawn)


def test_a_class_without_a_test_image_stays_empty(load: Load) -> None:
    path = paths.prepared("cifar100") / "arrays.npz"
    arrays = files.read_arrays(path)
    kept = arrays["labels"] != 7
    files.write_arrays(path, **{name: array[kept] for name, array in arrays.items()})
    drawn = draw("cifar100_figure_1", load())
    assert drawn.axes[7].get_title() == "object 7" and not drawn.axes[7].images
    assert sum(len(axes.images) for axes in drawn.axes) == 99


def test_every_run_is_a_line_and_the_mean_is_an_epochs(load: Load) -> None:
    """Seed s has 12 + s, 11 + s ... 1 + s, three steps an epoch: means 11, 8, 5, 2 plus the mean seed, 2."""
    axes = draw(TAUGHT, load()).axes[0]
    by_label = {one.get_label(): one for one in axes.lines}
    assert list(by_label) == [*(f"seed {s}" for s in range(5)), "mean of an epoch", "learning rate falls"]
    np.testing.assert_array_equal(by_label["seed 3"].get_ydata(), np.arange(15, 3, -1))
    np.testing.assert_array_equal(by_label["seed 3"].get_xdata(), np.arange(1, 13))
    np.testing.assert_allclose(by_label["mean of an epoch"].get_ydata(), [13, 10, 7, 4])
    np.testing.assert_allclose(by_label["mean of an epoch"].get_xdata(), [2, 5, 8, 11])


def test_epochs_stand_above_the_steps_and_the_fall_of_the_learning_rate_is_marked(load: Load) -> None:
    below, above = draw(ALONE, load()).axes
    assert below.get_xlim() == (0, EPOCHS * STEPS) and above.get_xlim() == (0, EPOCHS)
    marked = [one for one in below.lines if one.get_linestyle() == ":"]
    assert [list(one.get_xdata()) for one in marked] == [[2 * STEPS] * 2]  # 0.1 for two epochs, then 0.02


def test_the_two_figures_are_of_the_two_students(load: Load) -> None:
    config = load()
    for figure, key, said in ((ALONE, "cifar100-student", "without KD"), (TAUGHT, "cifar100-student_kd", "with KD")):
        files_read = [f"results/students/cifar100_kd/{key}/seed-{seed}/losses.npz" for seed in range(5)]
        assert inputs(figure, config) == [*files_read, f"results/students/cifar100_kd/{key}/seed-0/history.csv"]
        assert f"Training loss {said}, {key}: 5 runs" in texts(draw(figure, config))


def test_one_run_is_called_so(load: Load, raw: Raw) -> None:
    raw["studies"][CIFAR]["experiments"]["cifar100-student"]["seeds"] = [3]
    assert "cifar100-student: 1 run (" in texts(draw(ALONE, load()))


def test_a_run_that_ended_early_shortens_the_mean_alone(load: Load) -> None:
    path = paths.trained("students", f"{CIFAR}/cifar100-student", 4) / "losses.npz"
    files.write_arrays(path, loss=np.ones(2 * STEPS, np.float32))
    by_label = {one.get_label(): one for one in draw(ALONE, load()).axes[0].lines}
    assert len(by_label["seed 0"].get_xdata()) == EPOCHS * STEPS
    np.testing.assert_allclose(
        by_label["mean of an epoch"].get_ydata(), [(11 + 12 + 13 + 14 + 1) / 5, (8 + 9 + 10 + 11 + 1) / 5]
    )


@pytest.mark.parametrize("figure", [ALONE, TAUGHT])
def test_a_student_that_is_not_listed_has_no_figure(load: Load, raw: Raw, figure: str) -> None:
    del raw["studies"][CIFAR]["experiments"]["cifar100-student" if figure == ALONE else "cifar100-student_kd"]
    config = load()
    assert figure not in figures.known(config)
    with pytest.raises(CellarError, match=f"there is no figure '{figure}'"):
        drawing.draw(figure, config)


def test_broken_losses_are_one_line(load: Load) -> None:
    path = paths.trained("students", f"{CIFAR}/cifar100-student", 2) / "losses.npz"
    files.write_arrays(path, other=np.ones(3))
    with pytest.raises(CellarError, match=f"^{path} holds no losses of steps; [^\n]+$"):
        drawing.draw(ALONE, load())
    files.write_arrays(
        paths.trained("students", f"{CIFAR}/cifar100-student_kd", 0) / "losses.npz", loss=np.ones(7, np.float32)
    )
    with pytest.raises(CellarError, match="are of different epochs"):
        drawing.draw(TAUGHT, load())
    assert not picture(ALONE).exists()


def test_where_every_run_trained_on_the_validation_images_the_panel_says_so(load: Load) -> None:
    loss, accuracy = curves(load().params(CIFAR), "cifar100").axes
    assert len(loss.lines) == 3
    assert [one.get_text() for one in accuracy.texts] == ["no validation images:\nevery run was trained on them"]
    assert not accuracy.get_yticks().size
    assert all(np.isnan(one.get_ydata()).all() for one in accuracy.lines)


def test_where_some_runs_have_validation_images_the_others_say_so(load: Load) -> None:
    write_history("students", f"{CIFAR}/cifar100-student", 3)
    accuracy = curves(load().params(CIFAR), "cifar100").axes[1]
    by_label = {one.get_label(): one for one in accuracy.lines}
    without = "\n(no validation images)"
    assert list(by_label) == [f"cifar100 (teacher): resnet8x4{without}", "student: cnn4", f"student_kd: cnn4{without}"]
    assert list(by_label["student: cnn4"].get_ydata()) == [18, 23, 28, 33]
    assert not accuracy.texts


def test_without_the_data_set_the_reports_figures_are_not_known(load: Load, raw: Raw) -> None:
    del raw["datasets"]["cifar100"], raw["studies"][CIFAR]
    config = load()
    assert not [figure for figure in figures.known(config) if "cifar100" in figure]


def test_no_run_that_has_validation_images_says_otherwise(load: Load) -> None:
    assert "no validation images" not in texts(curves(load().params(MINI), "fer2013"))

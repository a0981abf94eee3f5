"""A sweep's heat maps: values in their places, the best framed, the validation's choice shown on the test panel."""

import re

import pytest
from matplotlib.axes import Axes

from cellar import files, paths
from cellar.errors import CellarError
from cellar.figures import drawing
from cellar.figures.grids import heat_maps
from tests.figure_project import Load, Raw, inputs, known, texts, write_point
from tests.table_project import CIFAR, MINI

GRID = "cifar100_grid"


def frames(axes: Axes, linestyle: str) -> list[tuple[int, int]]:
    """(column, row) of every framed cell."""
    found = [patch for patch in axes.patches if patch.get_linestyle() == linestyle]
    return [(round(one.get_x() + one.get_width() / 2), round(one.get_y() + one.get_height() / 2)) for one in found]


def written(axes: Axes) -> dict[tuple[float, float], str]:
    return {one.get_position(): one.get_text() for one in axes.texts}


def test_values_stand_at_their_temperature_and_weight(load: Load) -> None:
    """Points are written T by T: test 40, 41 ... 55, validation 60, 59 ... 45."""
    test, validation = heat_maps(load().params(CIFAR), GRID).axes
    assert written(test)[0, 0] == "40.00" and written(test)[1, 0] == "41.00" and written(test)[0, 1] == "44.00"
    assert written(validation)[3, 3] == "45.00" and len(written(validation)) == 16
    assert [one.get_text() for one in test.get_xticklabels()] == ["0", "0.25", "0.5", "0.75"]
    assert [one.get_text() for one in test.get_yticklabels()] == ["1", "2", "4", "8"]
    assert (test.get_xlabel(), test.get_title()) == ("CE weight", "test accuracy (%)")


def test_the_best_is_framed_and_the_validations_choice_is_shown_on_test(load: Load) -> None:
    test, validation = heat_maps(load().params(CIFAR), GRID).axes
    assert frames(test, "-") == [(3, 3)] and frames(validation, "-") == [(0, 0)]
    assert frames(test, "--") == [(0, 0)] and frames(validation, "--") == []


def test_equals_are_all_framed(load: Load) -> None:
    write_point(f"{CIFAR}/{GRID}-T4-w0.25", 55, 50)
    assert sorted(frames(heat_maps(load().params(CIFAR), GRID).axes[0], "-")) == [(1, 2), (3, 3)]


def test_without_validation_images_there_is_one_panel(load: Load) -> None:
    write_point(f"{CIFAR}/{GRID}-T2-w0", 50, None)
    drawn = heat_maps(load().params(CIFAR), GRID)
    assert len(drawn.axes) == 1 and frames(drawn.axes[0], "--") == []
    assert "chosen on validation" not in texts(drawn)


def test_mini_resemotenet_calls_the_weight_alpha(load: Load) -> None:
    drawn = heat_maps(load().params(MINI), "fer2013_sweep")
    assert drawn.axes[0].get_xlabel() == "alpha"
    assert [one.get_text() for one in drawn.axes[0].get_yticklabels()] == ["1", "2", "3", "4", "5"]
    assert "resemotenet_c on fer2013" in texts(drawn)


def test_several_seeds_are_averaged(load: Load, raw: Raw) -> None:
    raw["studies"][CIFAR]["sweeps"][GRID]["seeds"] = [0, 1]
    config = load()
    for key in config.params(CIFAR).sweeps[GRID].experiments(GRID):
        files.write_json(paths.metrics("students", f"{CIFAR}/{key}", 1), {"accuracy": 20, "validation_accuracy": 30})
    assert written(heat_maps(config.params(CIFAR), GRID).axes[0])[0, 0] == "30.00"
    assert len(inputs(GRID, config)) == 32


def test_a_sweep_of_a_data_set_that_is_off_has_no_figure(load: Load, raw: Raw) -> None:
    raw["datasets"]["cifar100"]["enabled"] = False
    config = load()
    assert known(config, sweep=True) == ["fer2013_sweep"]
    with pytest.raises(CellarError, match=f"there is no figure '{GRID}'"):
        drawing.draw(GRID, config)


@pytest.mark.parametrize("scores", [{"accuracy": 3}, [1], {}])
def test_a_file_that_is_none_of_metrics_is_one_line(load: Load, scores: object) -> None:
    path = paths.metrics("students", f"{CIFAR}/{GRID}-T8-w0.5", 0)
    files.write_json(path, scores)
    with pytest.raises(CellarError, match=f"^{re.escape(str(path))} is not a metrics file; [^\n]+$"):
        drawing.draw(GRID, load())

"""The figures: what each reads, what it shows, and that the same files give the same picture."""

from pathlib import Path

import matplotlib
import numpy as np
import pytest
from PIL import Image

from cellar import figures, files, models, paths
from cellar.data.faces import EMOTIONS
from cellar.errors import CellarError
from cellar.figures import drawing
from cellar.figures.curves import COLOURS, colours_of, curves
from cellar.tables.runs import Runs
from tests.figure_project import COLUMNS, Load, Raw, draw, inputs, known, picture, texts
from tests.table_project import MINI

CIFAR = ["cifar100_figure_1", "cifar100_figure_2", "cifar100_figure_3"]
CURVES = [f"curves_{name}" for name in ("cifar100", "fer2013", "raf_db")]
AUDITS = [f"audit_{name}" for name in ("cifar100", "fer2013", "raf_db", "pins")]
MAIN = [*CIFAR, "fig_3", "fig_4", *CURVES, *AUDITS]
PINS = [f"pins_fig_{number}" for number in (2, 3, 4, 8, 9, 10)]  # drawn in tests/studies/small_dataset_kd
SWEEPS = ["cifar100_grid", "fer2013_sweep"]
ALL = [*MAIN, *SWEEPS]


def test_the_shipped_params_give_all_figures_and_every_input_is_read(load: Load) -> None:
    config = load()
    assert [figure for figure in known(config, sweep=False) if figure not in PINS] == MAIN
    assert known(config, sweep=True) == SWEEPS
    for figure in ALL:
        for path in map(Path, inputs(figure, config)):
            hidden = path.rename(path.with_suffix(".hidden"))
            with pytest.raises(CellarError, match="does not exist") as caught:
                drawing.draw(figure, config)
            assert str(path) in str(caught.value) and "\n" not in str(caught.value)
            hidden.rename(path)
        keys = ["scale", f"sweeps.{figure}"] if figure in SWEEPS else ["scale"]
        assert list(figures.catalogue(config)[figure].shown()) == keys


@pytest.mark.parametrize("figure", ALL)
def test_a_figure_needs_no_file_but_its_inputs(load: Load, figure: str) -> None:
    config = load()
    needed = inputs(figure, config)
    for path in [*Path("data").rglob("*.*"), *Path("results").rglob("*.*")]:
        if path.is_file() and str(path) not in needed:
            path.unlink()
    drawing.draw(figure, config)
    assert picture(figure).stat().st_size > 5000


@pytest.mark.parametrize("figure", ALL)
def test_the_same_files_give_the_same_bytes_whatever_the_users_style(load: Load, figure: str) -> None:
    config = load()
    drawing.draw(figure, config)
    first = picture(figure).read_bytes()
    with matplotlib.rc_context({"font.size": 20, "axes.facecolor": "yellow", "savefig.dpi": 40}):
        drawing.draw(figure, config)
    assert picture(figure).read_bytes() == first
    with Image.open(picture(figure)) as image:
        assert not {"Software", "Creation Time"} & image.info.keys()


def test_a_data_set_that_is_off_is_left_out(load: Load, raw: Raw) -> None:
    raw["datasets"]["raf_db"]["enabled"] = False
    config = load()
    assert [figure for figure in MAIN if figure not in figures.known(config)] == ["curves_raf_db", "audit_raf_db"]
    assert inputs("fig_3", config) == [f"data/prepared/fer2013/{f}" for f in ("arrays.npz", "manifest.json")]
    assert "raf_db" not in texts(draw("fig_3", config))
    with pytest.raises(CellarError, match="there is no figure 'curves_raf_db'"):
        drawing.draw("curves_raf_db", config)


def test_nothing_is_known_where_nothing_is_on(load: Load, raw: Raw) -> None:
    for section in raw["datasets"].values():
        section["enabled"] = False
    assert figures.known(load()) == []


def test_the_samples_are_the_first_test_images_of_each_class(load: Load) -> None:
    drawn = draw("fig_3", load())
    shades = [int(np.unique(one.get_array())[0]) for one in drawn.findobj(matplotlib.image.AxesImage)]
    first_test = 20 + 14  # two rounds of validation images come before
    expected = [first_test + label + 7 * again for label in range(7) for again in range(2)]
    assert sorted(shades) == sorted(expected * 2)
    assert all(texts(drawn).count(emotion) == 2 for emotion in EMOTIONS)


def test_the_matrix_shows_shares_of_the_true_class_and_counts(load: Load, raw: Raw) -> None:
    del raw["studies"][MINI]["experiments"]["fer2013-E4"], raw["studies"][MINI]["experiments"]["fer2013-E6"]
    config = load()
    assert inputs("fig_4", config) == [
        "results/metrics/students/mini_resemotenet/fer2013-E1/seed-0.json",
        "results/predictions/students/mini_resemotenet/fer2013-E1/seed-0/details.json",
    ]
    drawn = draw("fig_4", config)
    cells = {one.get_position(): one.get_text() for one in drawn.axes[0].texts}
    assert cells[0, 0] == "75 %\n3" and cells[5, 0] == "25 %\n1" and cells[0, 5] == "0 %\n0"  # (predicted, true)
    assert drawn.axes[0].get_title() == "fer2013-E1: resemotenet_a\naccuracy 90.00 %, N = 10"


def test_curves_hold_the_history_teachers_black_students_alone_dashed(load: Load) -> None:
    loss, accuracy = curves(load().params(MINI), "raf_db").axes
    by_label = {one.get_label(): one for one in accuracy.lines}
    teacher, alone = by_label["raf_db (teacher): resemotenet"], by_label["scratch_a: resemotenet_a"]
    taught, other = by_label["E1: resemotenet_a"], by_label["E4: resemotenet_b"]
    assert len(by_label) == 5 and len(loss.lines) == 5
    assert (teacher.get_color(), teacher.get_linestyle()) == ("black", "-")
    assert (alone.get_linestyle(), taught.get_linestyle()) == ("--", "-")
    assert alone.get_color() == taught.get_color() != other.get_color()
    assert list(teacher.get_xdata()) == [1, 2, 3, 4] and list(teacher.get_ydata()) == [16, 21, 26, 31]
    np.testing.assert_allclose(loss.lines[0].get_ydata(), [2, 1, 2 / 3, 0.5], atol=1e-6)


def test_no_two_curves_of_a_figure_look_alike(load: Load) -> None:
    lines = curves(load().params(MINI), "fer2013").axes[0].lines
    looks = {(one.get_color(), one.get_linestyle(), one.get_marker()) for one in lines}
    assert len(looks) == len(lines) == 10


def test_an_imported_teacher_has_no_curve_and_students_keep_their_colours(load: Load, raw: Raw) -> None:
    before = {one.get_label(): one.get_color() for one in curves(load().params(MINI), "raf_db").axes[0].lines}
    raw["studies"][MINI]["teachers"]["raf_db"]["weights"] = "published.pth"
    config = load()
    assert "results/teachers/raf_db/seed-0/history.csv" not in inputs("curves_raf_db", config)
    after = {one.get_label(): one.get_color() for one in curves(config.params(MINI), "raf_db").axes[0].lines}
    assert after == {label: colour for label, colour in before.items() if "teacher" not in label}
    assert len(after) == 4


def test_curves_take_the_first_seed(load: Load, raw: Raw) -> None:
    raw["studies"][MINI]["experiments"]["fer2013-E1"]["seeds"] = [7, 0]
    config = load()
    assert "results/students/mini_resemotenet/fer2013-E1/seed-7/history.csv" in inputs("curves_fer2013", config)
    assert "results/metrics/students/mini_resemotenet/fer2013-E1/seed-7.json" in inputs("fig_4", config)


@pytest.mark.parametrize("figure", ALL)
def test_every_figure_says_when_its_images_are_drawn(load: Load, raw: Raw, figure: str) -> None:
    assert "synthetic images, scale sample" in texts(draw(figure, load()))
    raw["scale"]["synthetic"] = False
    assert "synthetic images" not in texts(draw(figure, load()))


def test_students_of_one_network_have_one_colour_and_others_another() -> None:
    drawn = [Runs("students", f"run-{number}", (0,), "pets", model) for number, model in enumerate(
        ["resnet18", "cnn4", "resnet18+connector", "convnet9"])]  # fmt: skip
    teacher = Runs("teachers", "large", (0,), "pets", "vgg13")
    assert colours_of([teacher, *drawn]) == dict(zip(("resnet18", "cnn4", "convnet9"), COLOURS, strict=False))
    many = [Runs("students", name, (0,), "pets", name) for name in models.networks()]
    assert set(colours_of(many).values()) == set(COLOURS)


def test_colours_differ_for_the_colour_blind() -> None:
    """The newest, under full protanopia, deuteranopia and tritanopia (Machado et al. 2009), in CIELAB."""
    new = "#DDCC77"
    others = [*(colour for colour in COLOURS if colour != new), "#000000", "#FFFFFF"]
    for sight in SIGHTS.values():
        seen = {colour: lab(np.array(sight) @ linear(colour)) for colour in (new, *others)}
        assert min(np.linalg.norm(seen[new] - seen[other]) for other in others) > 20


SIGHTS = {
    "normal": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.3039]],
}


def linear(colour: str) -> np.ndarray:
    """#RRGGBB -> linear red, green, blue (sRGB)."""
    values = np.array([int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)])
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def lab(rgb: np.ndarray) -> np.ndarray:
    """Linear sRGB -> CIELAB, white D65."""
    to_xyz = [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.072175], [0.0193339, 0.119192, 0.9503041]]
    xyz = np.array(to_xyz) @ np.clip(rgb, 0, 1) / [0.95047, 1, 1.08883]
    x, y, z = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("text", ["", "epoch,train_loss\n1,2\n", COLUMNS + "\n1,abc,2,10,0.1,0\n"])
def test_a_broken_history_is_one_line(load: Load, text: str) -> None:
    path = paths.trained("students", f"{MINI}/raf_db-E1", 0) / "history.csv"
    files.write_text(path, text)
    with pytest.raises(CellarError, match=r"raf_db-E1/seed-0/history\.csv is not a training history"):
        drawing.draw("curves_raf_db", load())
    assert not picture("curves_raf_db").exists()


def test_other_broken_inputs_are_one_line(load: Load) -> None:
    files.write_json(paths.metrics("students", f"{MINI}/fer2013-E4", 0), {"accuracy": 3})
    with pytest.raises(
        CellarError, match=r"fer2013-E4/seed-0/details\.json or its metrics file is not of an evaluation"
    ):
        drawing.draw("fig_4", load())
    files.write_arrays(paths.prepared("raf_db") / "arrays.npz", labels=np.arange(3))
    with pytest.raises(CellarError, match="raf_db is not a prepared data set"):
        drawing.draw("fig_3", load())

"""The figure of gains: a panel for each pair, methods sorted, KD marked."""

from cellar import figures
from tests.studies.kd_methods.conftest import KEY, Fabricate, evaluate

FIGURE = f"{KEY}/gains"


def test_methods_are_sorted_by_what_they_gain(project: Fabricate) -> None:
    made = project("sample", evaluated=True)
    lines = made.params(KEY).experiments
    for place, key in enumerate(lines):
        evaluate(made, key, right=0 if key.endswith("-alone") else 5 + place % 11)
    drawn = figures.catalogue(made.config())[FIGURE].draw()
    (axes,) = drawn.axes
    dots = [float(line.get_xdata()[0]) for line in axes.lines if line.get_marker() == "o"]
    assert len(dots) == 30 and dots == sorted(dots)
    expected = sorted(100 * (5 + place % 11) / 40 for place, key in enumerate(lines) if not key.endswith("-alone"))
    assert dots == expected
    assert axes.get_title() == "resnet20 → resnet8"
    assert {label.get_text() for label in axes.get_yticklabels()} >= {"KD", "DKD+LSKD", "SemCKD"}


def test_an_interval_over_seeds_has_a_filled_dot(project: Fabricate) -> None:
    made = project("cpu", "resnet32x4-resnet8x4", evaluated=True)
    (axes,) = figures.catalogue(made.config())[FIGURE].draw().axes
    dots = [line for line in axes.lines if line.get_marker() == "o"]
    filled = {
        label.get_text()
        for label, dot in zip(axes.get_yticklabels(), dots, strict=True)
        if dot.get_markerfacecolor() != "white"
    }
    logits = {"KD", "KD+LSKD", "DKD", "DKD+LSKD", "NKD", "DIST", "TTM", "WTTM", "OFA", "CTKD"}
    assert filled == logits | {"CC", "RKD", "PKT", "CRD", "SRRL"}  # three seeds: cached logits, and cached vectors


def test_every_pair_has_a_panel(project: Fabricate) -> None:
    drawn = figures.catalogue(project("cpu", evaluated=True).config())[FIGURE].draw()
    assert [axes.get_title() for axes in drawn.axes] == ["resnet32x4 → resnet8x4", "resnet32x4 → cnn4"]


def test_the_figure_reads_what_its_differences_rest_on(project: Fabricate) -> None:
    read = figures.catalogue(project("sample").config())[FIGURE].inputs()
    assert len(read) == 31 and all(path.endswith("predictions.npz") for path in read)


def test_a_student_alone_of_more_seeds_is_no_input(project: Fabricate) -> None:
    """Of methods with one seed, only that seed of the student alone is read."""
    made = project("sample", evaluated=True)
    made.raw["studies"][KEY]["experiments"]["resnet20-resnet8-alone"]["seeds"] = [0, 1, 2]
    figure = figures.catalogue(made.config())[FIGURE]
    assert len(figure.inputs()) == 31
    (axes,) = figure.draw().axes
    assert len(axes.get_yticklabels()) == 30


def test_words_of_a_single_panel_fit_the_figure(project: Fabricate) -> None:
    drawn = figures.catalogue(project("sample", evaluated=True).config())[FIGURE].draw()
    drawn.draw_without_rendering()
    width = drawn.bbox.width
    for words in (drawn._suptitle, drawn.axes[0].xaxis.label):
        box = words.get_window_extent()
        assert box.x0 >= 0 and box.x1 <= width

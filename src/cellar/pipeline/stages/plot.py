"""`cellar plot FIGURE`: one figure, as PNG."""

from cellar import config as parameters
from cellar.figures import drawing


def run(figure: str) -> None:
    drawing.draw(figure, parameters.load())

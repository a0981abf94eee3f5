"""`cellar plot FIGURE`: one figure, as PNG."""

from cellar import figures
from cellar import params as parameters


def run(figure: str) -> None:
    figures.draw(figure, parameters.load())

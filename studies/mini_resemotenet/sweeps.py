"""What the paper says about its grid of temperatures and alphas."""

from collections.abc import Iterator

from cellar.config import Sweep
from cellar.studies import SweepText

from .printed import paper


def notes(sweep: Sweep) -> Iterator[str]:
    best = paper().data["hyperparameters"]["from_seed"]
    alphas = " or ".join(f"{alpha:.2f}" for alpha in best["alphas_best"])
    yield f"The paper says that T = {best['temperature']} and alpha = {alphas} were best, without numbers."


TEXT = SweepText(weight="alpha", notes=notes)

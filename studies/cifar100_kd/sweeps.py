"""What the report says about its grid of temperatures and weights."""

from collections.abc import Iterator

from cellar.config import Sweep
from cellar.studies import SweepText

from .printed import paper


def notes(sweep: Sweep) -> Iterator[str]:
    recipes = paper().data["hyperparameters"]
    text, code = recipes["from_seed"], recipes["from_author_repo"]
    yield (
        f"The report says that T = {text['T_best']} and KL weight {text['kl_weight_best']:g} were best, without "
        f"numbers; its discussion has alpha = {text['alpha_best']:g}, its author's code KL weight "
        f"{code['kl_weight']:g} and CE weight {code['ce_weight']:g}. It holds no images out to choose by."
    )


TEXT = SweepText(notes=notes, chosen_on_test="the report's way to choose")

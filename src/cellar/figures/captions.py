"""The heading of every figure: what it shows, at which scale, and whether its images are synthetic."""

from cellar.config import Params


def caption(params: Params, text: str) -> str:
    return f"{text} ({'drawn images, ' if params.scale.drawn else ''}scale {params.scale.name})"

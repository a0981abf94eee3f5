"""The heading of every figure: what it shows, at which scale, and whether its images are synthetic."""

from cellar.config import Config, Params


def caption(params: Params | Config, text: str) -> str:
    return f"{text} ({'synthetic images, ' if params.scale.synthetic else ''}scale {params.scale.name})"

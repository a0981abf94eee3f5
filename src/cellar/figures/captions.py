"""What stands over every figure: what it shows, of which scale, and whether its images are drawn."""

from cellar.config import Params


def caption(params: Params, text: str) -> str:
    return f"{text} ({'drawn images, ' if params.scale.drawn else ''}scale {params.scale.name})"

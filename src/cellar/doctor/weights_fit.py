"""The process that cellar.doctor.weights_files starts: questions as JSON on stdin, answers on stdout.

Networks are made on the meta device, and their first weights are not drawn: to draw none there takes torch a second.
"""

import json
import sys
from pathlib import Path
from typing import Any

import torch

from cellar import models
from cellar.errors import CellarError
from cellar.models.checkpoint_files import weights

SOME = 2  # classes, where the last layer does not matter


def problem_of(question: dict[str, Any]) -> str:
    """What is wrong with a file, by names and shapes; "" for nothing."""
    classes = question["classes"]
    with torch.device("meta"):
        model = models.build(question["model"], classes or SOME, question["model_file"])
    try:
        compared = weights.whole_compared(model) if classes else weights.trunk_compared(model)
        weights.read_state(Path(question["path"]), compared, question["key"], numbers=False)
    except CellarError as error:
        return str(error)
    return ""


def draw_nothing() -> None:
    for name in vars(torch.nn.init):
        if name.endswith("_") and not name.startswith("_"):
            setattr(torch.nn.init, name, lambda tensor, *_, **__: tensor)


def main() -> None:
    draw_nothing()
    print(json.dumps({question["where"]: problem_of(question) for question in json.load(sys.stdin)}))


if __name__ == "__main__":
    main()

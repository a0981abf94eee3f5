"""Figure 1: the training loss by epoch."""

import pandas as pd
from matplotlib.figure import Figure

from cellar.config import Params

from .tables import histories


def draw(params: Params) -> Figure:
    figure = Figure(figsize=(5, 3), layout="constrained")
    axes = figure.subplots()
    for path in histories(params):
        rows = pd.read_csv(path)
        axes.plot(rows["epoch"], rows["train_loss"], label=path.split("/")[-3])
    axes.legend()
    return figure

"""Series by hand."""

import numpy as np

from cellar.deployment.timeline.series import Series

CLASSES = ("glad", "sad", "none of these")


def of(*labels: int | None, step: float = 0.5) -> Series:
    """A frame every `step` seconds, certain of one class; None: no face."""
    raw = np.array([[np.nan] * 3 if label is None else np.eye(3)[label] for label in labels])
    return Series(CLASSES, np.arange(len(labels)) * step, np.arange(len(labels)), raw)

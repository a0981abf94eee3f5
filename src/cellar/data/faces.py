"""The seven emotions, in the one order that every facial set, checkpoint and table here uses."""

EMOTIONS = ("happy", "surprise", "sad", "anger", "disgust", "fear", "neutral")
"""Order of the outputs of the published ResEmoteNet checkpoint; each reader maps its own codes to it."""

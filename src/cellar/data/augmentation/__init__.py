"""How an image becomes a model's input: finite and random augmentation, normalisation."""

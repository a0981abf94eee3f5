"""Losses of methods that need more than the training loop gives them yet. Each file says what."""

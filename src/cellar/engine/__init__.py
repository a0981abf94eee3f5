"""Training and inference: the one loop, optimizer, checkpoints, teacher logits, devices, run records."""

"""Weights in the files that people have: safetensors, PyTorch's, pickles; read, never executed."""

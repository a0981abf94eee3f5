"""The study of Mini-ResEmoteNet: see README.md and study.py."""

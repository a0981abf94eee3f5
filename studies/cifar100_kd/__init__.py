"""The study of Distillation on CIFAR-100: see README.md and study.py."""

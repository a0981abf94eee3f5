"""Cellar regenerates every table cell of three knowledge-distillation studies from its exact inputs."""

__version__ = "0.1.0"

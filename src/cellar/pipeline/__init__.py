"""From params.yaml to stages, and what each stage runs."""

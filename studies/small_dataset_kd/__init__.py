"""The study of Small dataset: see README.md and study.py."""

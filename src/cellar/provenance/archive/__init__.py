"""Archived runs in runs/: their layout, the recomputation of their table cells, and their verification."""

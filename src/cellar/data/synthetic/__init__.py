"""Synthetic faces, objects and identities, written in the layouts of the real sets."""

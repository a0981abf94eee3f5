"""A short `make chaos`: one training chain, a few kills."""

import random

import pytest

from tests.workflow import chaos
from tests.workflow.conftest import FACES, Project

TARGET = f"results/students/{FACES}/fer2013-E1/seed-0/weights.safetensors"


@pytest.mark.long
def test_a_build_killed_again_and_again_ends_in_the_same_bytes(fresh: Project, built: Project) -> None:
    met = chaos.torment(fresh, [TARGET], kills=3, seconds=60, chance=random.Random(1))
    assert met.total() > 0
    fresh.snakemake(TARGET)
    ours, theirs = chaos.hashes(fresh), chaos.hashes(built)
    assert TARGET in ours
    assert {path: theirs[path] for path in ours} == ours
    assert chaos.left_behind(fresh) == []
    assert fresh.planned(TARGET) == {}

"""What all tests share: the project's root, and a small parameter file with the same form as the real one."""

from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="session")
def shipped() -> dict[str, Any]:
    """params.yaml as shipped, as plain data."""
    return yaml.safe_load((ROOT / "params.yaml").read_text())


@pytest.fixture
def raw(shipped: dict[str, Any]) -> dict[str, Any]:
    """A copy of params.yaml to spoil."""
    return deepcopy(shipped)


LONGEST = (  # minutes each, not seconds
    "test_pins.py",
    "test_remotes.py",
    "test_faults.py",
    "test_slurm.py",
    "test_cells.py",
    "test_archiving.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """First what builds the project that others copy, and beside it what needs none; then the longest files, so that the
    workers, each of which takes a file at a time, end together."""
    order = {"test_sequences.py": 0} | {name: place for place, name in enumerate(LONGEST, start=2)}
    without_project = {"engine": 1, "methods": 1}
    last = len(LONGEST) + 2
    items.sort(key=lambda item: order.get(item.path.name, without_project.get(item.path.parent.name, last)))

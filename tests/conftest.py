"""What all tests share: the project's root, and a small parameter file with the same form as the real one."""

from collections.abc import Iterator
from copy import deepcopy
from multiprocessing import resource_tracker
from pathlib import Path
from typing import Any

import pytest
import yaml

from .processes import ended

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="session")
def shipped() -> dict[str, Any]:
    """params.yaml as shipped, as plain data."""
    return yaml.safe_load((ROOT / "params.yaml").read_text())


@pytest.fixture
def raw(shipped: dict[str, Any]) -> dict[str, Any]:
    """A copy of params.yaml to spoil."""
    return deepcopy(shipped)


@pytest.fixture(scope="session", autouse=True)
def common_process() -> None:
    """Python's resource tracker, which the first test that needs it would start, serves the later ones too."""
    resource_tracker.ensure_running()


@pytest.fixture(autouse=True)
def nothing_outlives(common_process: None) -> Iterator[None]:
    """Processes of a test end with it; those of fixtures with a wider scope do not."""
    with ended():
        yield


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

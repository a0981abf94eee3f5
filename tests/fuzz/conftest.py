"""Libraries are at home before the first case is watched."""

import pytest

from tests.fuzz.watch import warm_up


@pytest.fixture(scope="session", autouse=True)
def warm() -> None:
    warm_up()

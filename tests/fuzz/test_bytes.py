"""Files that are whole, files that broke a reader once, and whole files with bytes spoilt: read, or refused in a line."""

from collections import Counter
from pathlib import Path

import pytest

from tests.fuzz.mutations import mutate
from tests.fuzz.readers import CORPUS, READERS, seeds
from tests.fuzz.watch import assert_answers

CASES = 40  # a reader; tests.fuzz.campaign runs as many as there is time for
FILES = sorted(CORPUS.glob("*/*"))
REFUSED = ("tar", "tar.gz", "tar.bz2", "tar.xz", "compressed.npz")  # whole, but with links, or packed


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_the_corpus(path: Path, tmp_path: Path) -> None:
    outcome = assert_answers(READERS[path.parent.name], path.read_bytes(), tmp_path / "case")
    if not path.name.startswith("found-"):
        assert outcome == ("refused" if path.name in REFUSED else "read")


@pytest.mark.parametrize("name", READERS)
def test_spoilt_bytes(name: str, tmp_path: Path) -> None:
    corpus, outcomes = seeds(name), Counter[str]()
    for number in range(CASES):
        outcomes[assert_answers(READERS[name], mutate(f"suite {name} {number}", corpus), tmp_path / str(number))] += 1
    assert outcomes["refused"] > 0

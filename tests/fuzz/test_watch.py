"""The watch sees what a reader must not do: else no other test here could fail."""

import mmap
import os
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from cellar.errors import CellarError
from tests.fuzz import watch
from tests.fuzz.mutations import mutate
from tests.fuzz.readers import READERS, Reader, put, seeds


def write_outside(folder: Path, content: bytes) -> Any:
    (folder.parent / "evil").write_bytes(content)


def make_outside(folder: Path, content: bytes) -> Any:
    (folder.parent / "evil").mkdir()
    (folder.parent / "evil").rmdir()


def link_outside(folder: Path, content: bytes) -> Any:
    (folder.parent / "evil").symlink_to(folder)


def run(folder: Path, content: bytes) -> Any:
    subprocess.run(["true"], check=True)


def run_shell(folder: Path, content: bytes) -> Any:
    os.system("true")


def import_what_a_file_names(folder: Path, content: bytes) -> Any:
    __import__("__hello__")


def take_for_ever(folder: Path, content: bytes) -> Any:
    with suppress(Exception):
        time.sleep(60)


def take_memory(folder: Path, content: bytes) -> Any:
    """From the system: of what tests before have freed, the allocator may still hold enough."""
    with mmap.mmap(-1, 2 * watch.MOST_MEMORY) as memory:
        for page in range(0, len(memory), mmap.PAGESIZE):
            memory[page] = 1


def say_two_lines(folder: Path, content: bytes) -> Any:
    raise CellarError("one\ntwo")


def move_the_terminal(folder: Path, content: bytes) -> Any:
    raise CellarError("\x1b[2J")


@pytest.mark.parametrize(
    ("reader", "words"),
    [
        (write_outside, "what no reader does"),
        (make_outside, "what no reader does"),
        (link_outside, "what no reader does"),
        (run, "what no reader does"),
        (run_shell, "what no reader does"),
        (import_what_a_file_names, "what no reader does"),
        (take_for_ever, "no answer"),
        (take_memory, "MiB"),
        (say_two_lines, "no single line"),
        (move_the_terminal, "no single line"),
    ],
)
def test_what_no_reader_may_do_is_seen(
    reader: Reader, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if reader is take_for_ever:
        monkeypatch.setattr(watch, "SECONDS", 0.1)
    with pytest.raises(AssertionError, match=words):
        watch.assert_answers(reader, b"x", tmp_path / "case")


def test_another_exception_is_seen_and_good_ones_pass(tmp_path: Path) -> None:
    with pytest.raises(KeyError):
        watch.assert_answers(lambda folder, content: {}[content], b"x", tmp_path / "one")
    assert watch.assert_answers(lambda folder, content: put(folder / "a", content), b"x", tmp_path / "two") == "read"


def test_every_reader_has_a_corpus_and_the_same_seed_the_same_bytes() -> None:
    for name in READERS:
        corpus = seeds(name)
        assert mutate("1", corpus) == mutate("1", corpus) != mutate("2", corpus)

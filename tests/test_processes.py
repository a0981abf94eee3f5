"""A test whose time is over ends, with all processes that it has started: real tests, in a pytest of their own."""

import os
import subprocess
import sys
from pathlib import Path

import psutil

from .conftest import ROOT

# A shell that ignores SIGTERM, with a child that does too, and one in a session of its own. $0: the file of their numbers.
DEAF = "trap '' TERM INT; sleep 3000 & echo $! >> $0; setsid sleep 3000 & echo $! >> $0; echo $$ >> $0; wait"
TESTS = """
import subprocess
from pathlib import Path
from tests.conftest import common_process, nothing_outlives
from tests.workflow.conftest import Project

project = Project(Path("."))

def deaf(name):
    return ["sh", "-c", DEAF, name]

def test_with():
    with project.start(*deaf("with"), stdout=subprocess.PIPE) as running:
        running.communicate()

def test_without_with():
    project.start(*deaf("without_with")).wait()

def test_another_way():
    subprocess.run(deaf("another_way"))

def test_left_to_itself():
    subprocess.run(["sh", "-c", 'setsid "$@" &', "sh", *deaf("left_to_itself")])
    numbers = Path("left_to_itself")
    while not numbers.exists() or numbers.read_text().count("\\n") < 3:
        pass
"""


def test_what_a_test_starts_ends_with_it(tmp_path: Path) -> None:
    (tmp_path / "test_inner.py").write_text(TESTS.replace("DEAF", repr(DEAF)))
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:xdist", "--timeout", "5"]
    done = subprocess.run(
        [*command, "--rootdir", tmp_path, "test_inner.py"],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert "3 failed, 1 passed" in done.stdout, done.stdout + done.stderr
    assert done.stdout.count("Failed: Timeout (>5.0s) from pytest-timeout") >= 3, done.stdout
    for way in ("with", "without_with", "another_way", "left_to_itself"):
        started = [int(line) for line in (tmp_path / way).read_text().split()]
        assert len(started) == 3 and not [pid for pid in started if runs(pid)], way


def runs(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False

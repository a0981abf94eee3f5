"""Nothing of this project listens on a port, and what only reads asks nobody."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

SOURCES = [*(ROOT / "src").rglob("*.py"), *(ROOT / "workflow").rglob("*.py"), *(ROOT / "benchmarks").rglob("*.py")]
SERVERS = {
    "socket",
    "socketserver",
    "http.server",
    "asyncio",
    "xmlrpc.server",
    "wsgiref",
    "flask",
    "fastapi",
    "uvicorn",
}
WATCHED = """
import runpy, sys
sys.addaudithook(lambda event, arguments: event in ("socket.bind", "socket.connect") and print(event, arguments, file=sys.stderr))
sys.argv = ["cellar", *sys.argv[1:]]
runpy.run_module("cellar", run_name="__main__")
"""


def imported(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        found |= {alias.name for alias in node.names} if isinstance(node, ast.Import) else set()
        found |= {str(node.module)} if isinstance(node, ast.ImportFrom) else set()
    return found


def test_no_source_imports_what_servers_are_made_of() -> None:
    assert len(SOURCES) > 100
    assert {str(path): bad for path in SOURCES if (bad := imported(path) & SERVERS)} == {}


@pytest.mark.parametrize("command", [["doctor"], ["plan", "--check"]])
def test_what_only_reads_opens_no_connection(command: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", WATCHED, *command], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.stdout + done.stderr != "" or command[0] == "plan"
    assert "socket." not in done.stderr

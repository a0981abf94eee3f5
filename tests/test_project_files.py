"""What others meet first: licence, citation, continuous integration."""

import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from cellar import config, studies
from cellar.report.crate.entities import LICENCE

ROOT = Path(__file__).parent.parent


def read(name: str) -> Any:
    return yaml.safe_load((ROOT / name).read_text())


def project() -> dict[str, Any]:
    found: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return found


def test_one_licence_everywhere() -> None:
    text = (ROOT / "LICENSE").read_text()
    assert text.startswith("MIT License\n\nCopyright (c) 2026 the Cellar authors\n")
    assert "WITHOUT WARRANTY OF ANY KIND" in text
    assert project()["license"] == read("CITATION.cff")["license"] == "MIT"
    assert project()["license-files"] == ["LICENSE"] and LICENCE.endswith("/MIT")


def test_the_citation_is_of_this_version() -> None:
    citation = read("CITATION.cff")
    assert (citation["cff-version"], citation["title"], citation["type"]) == ("1.2.0", "Cellar", "software")
    assert citation["message"] and citation["abstract"].rstrip(".") == project()["description"]
    assert citation["version"] == project()["version"]
    assert citation["authors"] == project()["authors"] == [{"name": "the Cellar authors"}]


def test_the_references_are_the_papers_of_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    """A study outside of it compares many papers."""
    monkeypatch.chdir(ROOT)
    cited = {entry["title"]: entry for entry in read("CITATION.cff")["references"]}
    printed = {study.title.partition(" - ")[::2] for study in studies.used(config.load())}  # one ends in its author
    assert cited.keys() == {title for title, _ in printed}
    for title, named in printed:
        authors = [f"{author['given-names']} {author['family-names']}" for author in cited[title]["authors"]]
        assert cited[title]["type"] in ("article", "report") and named in ("", *authors)


def test_continuous_integration_is_ci_run_with_least_permissions() -> None:
    workflow = read(".github/workflows/ci.yml")
    assert workflow["permissions"] == {"contents": "read"}
    (job,) = workflow["jobs"].values()
    assert "permissions" not in job and job["timeout-minutes"] <= 90
    assert [step["run"] for step in job["steps"] if "run" in step] == [".ci/run"]
    assert job["steps"][-1] == {"run": ".ci/run"}
    for step in job["steps"][:-1]:
        assert re.fullmatch(r"actions/[a-z-]+@[0-9a-f]{40}", step["uses"])


# .ci/run, with stand-ins for the programs that it starts: NAME -> its lines
MAKE = {"make": 'echo "make $*"'}
APT = 'echo "apt-get $*" >> "$CALLS"; case "$*" in *install*) printf "#!/bin/sh\\n" > "$BIN/chromium"; chmod +x "$BIN/chromium";; esac'
SKIPPED = "the browser tests are skipped"
ROOT_USER, USER = {"id": "echo 0"}, {"id": "echo 1000"}
CASES: dict[str, tuple[dict[str, str], str, bool, bool]] = {  # programs, CI, is something installed, is it said
    "root": ({"apt-get": APT, **ROOT_USER}, "true", True, False),
    "sudo without a password": ({"apt-get": APT, **USER, "sudo": 'shift; exec "$@"'}, "true", True, False),
    "sudo with a password": ({"apt-get": APT, **USER, "sudo": "exit 1"}, "true", False, True),
    "no sudo": ({"apt-get": APT, **USER}, "true", False, True),
    "no apt-get": (ROOT_USER, "true", False, True),
    "no network": ({"apt-get": "exit 100", **ROOT_USER}, "true", False, True),
    "a browser is here": ({"apt-get": APT, "google-chrome": "exit 1", **ROOT_USER}, "true", False, False),
    "not a CI machine": ({"apt-get": APT, **ROOT_USER}, "", False, True),
}  # fmt: skip


@pytest.mark.parametrize(("programs", "ci", "installed", "said"), CASES.values(), ids=CASES)
def test_a_ci_machine_gets_a_browser_if_it_can(
    programs: dict[str, str], ci: str, installed: bool, said: bool, tmp_path: Path
) -> None:
    done = ci_run(tmp_path, MAKE | programs, ci)
    assert (tmp_path / "bin/chromium").exists() is installed
    assert (tmp_path / "calls").exists() is installed
    assert done.returncode == 0 and done.stderr == ""
    lines = done.stdout.splitlines()
    assert lines[-1] == "make lint test" and len(lines) == 1 + said
    assert (SKIPPED in done.stdout) is said


def test_what_make_finds_is_what_ci_run_says(tmp_path: Path) -> None:
    assert ci_run(tmp_path, {"make": "exit 3", "chromium": "exit 0"}, "true").returncode == 3


def ci_run(folder: Path, programs: dict[str, str], ci: str) -> subprocess.CompletedProcess[str]:
    folder = folder / "bin"
    folder.mkdir()
    for name in ("bash", "sh", "dirname", "timeout", "env", "chmod"):
        (folder / name).symlink_to(str(shutil.which(name)))
    for name, lines in programs.items():
        (folder / name).write_text(f"#!{shutil.which('sh')}\n{lines}\n")
        (folder / name).chmod(0o755)
    environment = {"PATH": str(folder), "BIN": str(folder), "CALLS": str(folder.parent / "calls"), "CI": ci}
    kept = {name: os.environ[name] for name in ("LANG", "LC_ALL") if name in os.environ}
    return subprocess.run(
        [str(ROOT / ".ci/run")], env=kept | environment, capture_output=True, text=True, timeout=60, check=False
    )


def test_one_page_lists_every_parameter_file() -> None:
    """Those of kd_methods stand in the study's README."""
    files = [path for path in ROOT.glob("studies/*/params/*.yaml") if path.stem not in ("base", "sample")]
    pages = {"kd_methods": ROOT / "studies/kd_methods/README.md"}
    for file in files:
        study = file.parts[-3]
        page = pages.get(study, ROOT / "docs/machines.md").read_text()
        assert re.search(rf"\b{study}/{file.stem}\b", page), f"{study}/{file.stem}"

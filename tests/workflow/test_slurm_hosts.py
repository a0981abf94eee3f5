"""Slurm's nodes as hosts of their own, which meet this one in a folder by the network alone (tests/slurm/cluster.sh)."""

import shutil
import subprocess
from pathlib import Path

import pytest

from .conftest import Project, student
from .slurm import LONG, SUBMIT, cluster, jobs, with_packages

pytestmark = LONG

TABLE = "results/tables/table_vi.md"


def test_table_vi_is_built_by_hosts_that_share_a_folder(
    unbuilt: Project, built: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = tmp_path / "shared"
    with cluster(tmp_path, shared) as packages:
        project = unbuilt.copy_to(shared / "project")
        with_packages(project, packages, monkeypatch)
        with project.start(*SUBMIT, TABLE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as running:
            said, _ = running.communicate(timeout=900)
        assert running.returncode == 0, said
        assert {job["JobState"] for job in jobs().values()} == {"COMPLETED"}
        assert {job["NodeList"] for job in jobs().values()} == {"node1", "node2"}
        ours, theirs = project.made(), built.made()
        assert TABLE in ours and ours == {path: theirs[path] for path in ours}
        assert project.planned(TABLE) == {}
        for experiment in ("fer2013-E1", "fer2013-E4"):
            assert project.record(student("distill_student", experiment))["teacher_images_answered"]
        shutil.rmtree(project.folder)

"""Peak memory of a scale's stages is read from its archived run, where there is one."""

from pathlib import Path

import pytest

from cellar import files, paths
from cellar.doctor import needs
from cellar.provenance.archive.layout import Archive

from ..provenance import archived_run


@pytest.fixture
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Archive:
    monkeypatch.chdir(tmp_path)
    archived_run.write_project()
    return Archive(archived_run.write_archive())


def test_each_recorded_stage_has_its_peak(archive: Archive) -> None:
    assert dict(needs.archived_peaks(archive))["train-0"] == 1.5


def test_an_archive_that_cannot_be_read_gives_none(archive: Archive) -> None:
    files.write_text(paths.RUNS / "mine/records.json", "{}")
    assert list(needs.archived_peaks(Archive(archive.folder))) == []
    assert list(needs.archived_peaks(Archive(paths.RUNS / "absent"))) == []

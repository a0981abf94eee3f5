"""The page of a run that is kept names the command that makes it."""

from pathlib import Path

from cellar import config as parameters
from cellar.report import archive

from .conftest import ROOT


def test_a_sweep_that_was_run_is_a_target_of_its_own(tmp_path: Path) -> None:
    params = parameters.load(ROOT / "params.yaml")
    assert archive.commands(params, tmp_path) == "snakemake --cores 4"
    table = tmp_path / "results/tables/fer2013_sweep.md"
    table.parent.mkdir(parents=True)
    table.touch()
    everything, sweep = archive.commands(params, tmp_path).split(" && ")
    assert everything == "snakemake --cores 4"
    assert sweep == "snakemake --cores 4 results/tables/fer2013_sweep.md"

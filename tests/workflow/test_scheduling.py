"""How often Snakemake looks at the jobs that wait: counted in what `--verbose` writes."""

import subprocess
import sys
from pathlib import Path

from tests.conftest import ROOT

JOBS = 20
SNAKEFILE = f"""
import sys
sys.path.insert(0, {str(ROOT / "workflow/lib")!r})
import scheduling

onstart:
    scheduling.look_when_a_job_ends(workflow)

rule all:
    input: expand("{{number}}", number=range({JOBS}))

rule one:
    output: "{{number}}"
    shell: "sleep 0.5; touch {{output}}"
"""


def looks(folder: Path, *words: str) -> int:
    (folder / "Snakefile").write_text(SNAKEFILE)
    command = [sys.executable, "-m", "snakemake", "--cores", "2", "--scheduler", "greedy", "--verbose", *words]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=True)
    assert all((folder / str(number)).exists() for number in range(JOBS))
    return done.stderr.count("Ready jobs: ")


def test_one_look_for_each_job_that_ends(tmp_path: Path) -> None:
    assert looks(tmp_path) <= JOBS + 2


def test_a_limit_of_the_command_line_stays(tmp_path: Path) -> None:
    assert looks(tmp_path, "--max-jobs-per-timespan", "90/1s") > 1.5 * JOBS

"""How a benchmark's result is kept: results/bench/<name>.json, with the machine and its load."""

import os
from pathlib import Path
from typing import Any

from cellar import files
from cellar.engine import run_record

FOLDER = Path("results/bench")


def keep(name: str, result: dict[str, Any]) -> None:
    machine = run_record.machine() | {"processor": run_record.processor(), "load": os.getloadavg()}
    machine.pop("host")
    files.write_json(FOLDER / f"{name}.json", {**result, "machine": machine})

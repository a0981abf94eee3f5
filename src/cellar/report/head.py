"""What stands over the page: which run this is, from when, from where. Hosts are not named."""

from collections.abc import Iterable, Mapping
from typing import Any

from cellar.config import Config
from cellar.engine.run_record import git

Records = Mapping[str, Mapping[str, Any]]
SHORT = 7  # digits of a commit


def facts(config: Config, records: Records) -> dict[str, str]:
    """Word -> what to say. What no record tells is left out."""
    runs = list(records.values())
    found = {
        "scale": config.scale.name,
        "images": "synthetic, not photographs" if config.scale.synthetic else "photographs",
        "page made at": commit(),
        "code of the runs": code(runs),
        "run": between(sorted(str(run["started"]) for run in runs if run.get("started"))),
        "machine": machines(runs),
        "device": listed(str(run["device_name"]) for run in runs if run.get("device_name")),
        "software": listed(software(run) for run in runs),
        "time in stages": spent(sum(float(run.get("seconds", 0)) for run in runs)) if runs else "",
    }
    return {word: value for word, value in found.items() if value}


def commit() -> str:
    head = git("rev-parse", "HEAD")
    changed = git("status", "--porcelain", "--", "src", "studies", "params.yaml")
    return f"commit {head[:SHORT]}{' and changes not committed' if changed else ''}" if head else ""


def code(runs: list[Mapping[str, Any]]) -> str:
    """The commits that the stages ran at, and whether some ran on changes not committed."""
    commits = list(dict.fromkeys(str(run["commit"])[:SHORT] for run in runs if run.get("commit")))
    dirty = sum(bool(run.get("dirty")) for run in runs)
    said = f"{'commit' if len(commits) == 1 else 'commits'} {', '.join(commits)}" if commits else ""
    return f"{said}; {dirty} stages on changes not committed" if dirty else said


def between(starts: list[str]) -> str:
    """Days, or one day with its hours, in UTC."""
    if not starts:
        return ""
    first, last = starts[0], starts[-1]
    if first[:10] == last[:10]:
        return f"{first[:10]}, {first[11:16]} to {last[11:16]} UTC"
    return f"{first[:10]} to {last[:10]}"


def machines(runs: list[Mapping[str, Any]]) -> str:
    known = [run["machine"] for run in runs if run.get("machine")]
    return listed(f"{one['cores']} cores, {one['memory_gb']:g} GB, {one['system'].split('-')[0]}" for one in known)


def software(run: Mapping[str, Any]) -> str:
    versions = run.get("versions", {})
    torch = f", PyTorch {versions['torch']}" if versions.get("torch") else ""
    return f"Python {run.get('python')}{torch}"


def listed(values: Iterable[str]) -> str:
    return "; ".join(dict.fromkeys(values))


def spent(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.1f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"

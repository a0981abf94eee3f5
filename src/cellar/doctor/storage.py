"""DVC's cache and remotes: are they here, and do they hold what dvc.lock names? Names and sizes are looked at;
bytes are read by `cellar verify`. A remote elsewhere is not asked: that can take longer than this report may.
"""

import os
from collections.abc import Iterator
from configparser import ConfigParser, Error
from dataclasses import dataclass, field
from pathlib import Path

import platformdirs

from cellar.doctor.finding import Finding, gigabytes
from cellar.errors import CellarError
from cellar.pipeline.stage import Stage
from cellar.provenance.lineage import File, Lineage, cached_outputs

ROOT = Path(".dvc")
OBJECTS = Path("files/md5")
REMOTE = 'remote "'
PLACES = ("url", "dir")  # options that are a path, or an address


@dataclass
class Storage:
    """`absent`: cached outputs of the plan that dvc.lock knows and that are not in the workspace; `in_cache` and
    `in_remote`: whether all of those could be had from there."""

    findings: list[Finding] = field(default_factory=list)
    absent: list[str] = field(default_factory=list)
    in_cache: bool = False
    in_remote: bool = False


def examine(stages: list[Stage], graph: Lineage) -> Storage:
    if not ROOT.is_dir():
        return Storage([Finding("bad", "cache", f"{ROOT} does not exist: this is no DVC project", "dvc init")])
    config = read_config()
    recorded = cached_outputs(stages, graph)
    cache = local(config.get("cache", {}).get("dir", str(ROOT / "cache")))
    absent = {path: out for path, out in recorded.items() if not Path(path).exists()}
    found = Storage([look_at_cache(cache, recorded)], list(absent))
    found.in_cache = holds(cache / OBJECTS, absent)
    for section, options in config.items():
        if section.startswith(REMOTE):
            name = section.removeprefix(REMOTE).rstrip('"')
            finding, folder = look_at_remote(name, options, recorded)
            found.findings += [finding, *unverified(name, options)]
            found.in_remote |= folder is not None and holds(folder / OBJECTS, absent)
    if not any(section.startswith(REMOTE) for section in config):
        found.findings.append(Finding("ok", "remote", "none is configured; results are kept here alone"))
    return found


def read_config() -> dict[str, dict[str, str]]:
    """Sections of DVC's configuration, its paths as from here. Raises CellarError."""
    sections: dict[str, dict[str, str]] = {}
    for path in config_files():
        parser = ConfigParser(interpolation=None, strict=False)
        try:
            parser.read(path, encoding="utf-8")
        except (Error, UnicodeDecodeError):
            raise CellarError(
                f"{path} is no configuration of DVC; mend it, or take it back: git checkout {path}"
            ) from None
        for name in parser.sections():
            options = {key: from_here(value, path) if key in PLACES else value for key, value in parser[name].items()}
            sections.setdefault(name.strip("'"), {}).update(options)
    return sections


def config_files() -> list[Path]:
    """Of the system, the user, the project and this checkout, where DVC looks for them; the last that has an option wins."""
    system = os.getenv("DVC_SYSTEM_CONFIG_DIR") or platformdirs.site_config_dir("dvc", "iterative")
    user = os.getenv("DVC_GLOBAL_CONFIG_DIR") or platformdirs.user_config_dir("dvc", "iterative")
    return [Path(system) / "config", Path(user) / "config", ROOT / "config", ROOT / "config.local"]


def from_here(place: str, config: Path) -> str:
    """DVC's paths are relative to the file that has them."""
    return place if "://" in place else str(config.parent / Path(place).expanduser())


def local(place: str) -> Path:
    return Path(place.removeprefix("file://")).resolve()


def object_of(folder: Path, out: File) -> Path:
    return folder / out.md5[:2] / out.md5[2:]


def holds(folder: Path, outs: dict[str, File]) -> bool:
    return bool(outs) and all(object_of(folder, out).exists() for out in outs.values())


def look_at_cache(cache: Path, recorded: dict[str, File]) -> Finding:
    """Whether it can be written, and whether its objects have the sizes that dvc.lock gives."""
    if not cache.exists():
        lost = f"; {len(recorded)} outputs of dvc.lock are not in it" if recorded else ""
        return Finding(
            "warn" if recorded else "ok",
            "cache",
            f"{cache} does not exist yet, and is made when needed{lost}",
            "dvc fetch where a remote has them; else snakemake runs their stages again" if recorded else "",
        )
    if not os.access(cache, os.W_OK):
        return Finding("bad", "cache", f"{cache} cannot be written", f"chmod -R u+w {cache}")
    objects = {path: object_of(cache / OBJECTS, out) for path, out in recorded.items()}
    here = [path for path, file in objects.items() if file.exists()]
    for path in here:
        size, file = recorded[path].size, objects[path]
        if file.suffix != ".dir" and size not in (None, file.stat().st_size):
            return Finding(
                "warn",
                "cache",
                f"{file}, of {path}, has {file.stat().st_size} bytes, dvc.lock has {size}",
                f"rm -f {file}",
            )
    total = sum(recorded[path].size or 0 for path in here)
    return Finding("ok", "cache", f"{len(here)} of {len(recorded)} outputs of dvc.lock, {gigabytes(total)}, in {cache}")


def look_at_remote(name: str, options: dict[str, str], recorded: dict[str, File]) -> tuple[Finding, Path | None]:
    """A line on a remote, and its folder if it is one that is here."""
    url, topic = options.get("url", ""), f"remote {name}"
    if "://" in url and not url.startswith("file://"):
        return Finding("ok", topic, f"{url} was not asked; to ask it: dvc status --cloud --remote {name}"), None
    folder = local(url)
    if not folder.is_dir():
        return Finding(
            "warn",
            topic,
            f"{folder} does not exist: nothing can be pushed or pulled",
            f"mount or make it, or dvc remote modify {name} url NEW",
        ), None
    held = sum(object_of(folder / OBJECTS, out).exists() for out in recorded.values())
    if held < len(recorded):
        return Finding(
            "warn", topic, f"{folder} has {held} of {len(recorded)} outputs of dvc.lock", f"dvc push --remote {name}"
        ), folder
    return Finding("ok", topic, f"{folder} has all {held} outputs of dvc.lock"), folder


def unverified(name: str, options: dict[str, str]) -> Iterator[Finding]:
    if options.get("verify", "").lower() not in ("true", "yes", "on", "1"):
        yield Finding(
            "warn",
            f"remote {name}",
            "bytes that changed there would be taken as they are",
            f"dvc remote modify {name} verify true",
        )

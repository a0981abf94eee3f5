"""Whether a restructuring changed any result: compares the results of two checkouts, both completely built.

    python tests/oracle/compare_checkouts.py OLD NEW [--same-layout]

Arrays, weights, losses, predictions, features, faces and raw samples must be equal byte by byte; metrics, manifests,
histories and tables by value, under the list of renamed paths and keys in renamed.yaml. Figures are compared by
pixels, for information. --same-layout applies no renaming: for two builds of one layout.

Exit code: 0 all equal, 1 something differs, is missing or was not built, 2 wrong usage. Imports nothing of cellar,
because the two checkouts have different code.
"""

import argparse
import os
import re
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from contents import (
    ABSENT,
    Difference,
    are_equal,
    byte_differences,
    mean_losses,
    pixel_differences,
    read_values,
    value_differences,
)
from renames import Renames, Values, load

MOST_LINES = 20  # of differences per file
LONGEST_VALUE = 100  # characters shown
FOLDERS = ("data/raw/sample", "data/prepared", "data/faces", "results")
LOCKS = ("dvc.lock", "results/dvc.lock", "sweeps/dvc.lock", "studies/*/dvc.lock", "studies/*/*/dvc.lock")
TRAINED = "results/(?:teachers|students|generators)/.*/"
BYTES = {
    "raw sample": "data/raw/sample/.*",
    "arrays": r"data/prepared/.*/arrays\.npz",
    "faces": "data/faces/.*",
    "weights": rf"{TRAINED}(?:weights|last)\.safetensors",
    "losses": rf"{TRAINED}losses\.npz",
    "predictions": r"results/predictions/.*/predictions\.npz",
    "features": "results/features/.*",
    "audit pairs": r"results/audit/.*/pairs\.csv",
}
VALUES = {
    "manifests": r"data/prepared/.*/manifest\.json",
    "histories": rf"{TRAINED}history\.csv",
    "metrics": r"results/metrics/.*\.json|results/predictions/.*/details\.json",
    "tables": r"results/tables/.*\.json",
}
PIXELS = {"figures": r"results/figures/.*\.png"}
CLASSES = {name: re.compile(pattern) for name, pattern in (BYTES | VALUES | PIXELS).items()}
COLUMNS = ("compared", "equal", "different", "missing in OLD", "missing in NEW", "excluded")


class Checkout(NamedTuple):
    root: Path
    files: dict[str, str]  # path relative to root -> class
    others: Counter[str]  # suffix -> number of files of no class


class Report:
    """Lines to standard output, and counts per class."""

    def __init__(self) -> None:
        self.files: dict[str, Counter[str]] = {name: Counter() for name in CLASSES}
        self.keys: dict[str, Counter[str]] = {name: Counter() for name in CLASSES}
        self.failed = False

    def fail(self, line: str) -> None:
        self.failed = True
        print(line)

    def missing(self, name: str, side: str, path: str) -> None:
        self.files[name][f"missing in {side}"] += 1
        self.fail(f"{path}: missing in {side}")

    def compared(self, name: str, path: str, differences: Sequence[Difference]) -> None:
        """Differences of a file; those of figures are information and change no exit code."""
        self.files[name].update(["compared", "different" if differences else "equal"])
        for key, old, new in differences[:MOST_LINES]:
            line = f"{path}: {key}: {shown(old)} != {shown(new)}"
            print(f"information: {line}") if name in PIXELS else self.fail(line)
        if len(differences) > MOST_LINES:
            print(f"{path}: and {len(differences) - MOST_LINES} more differences")

    def summary(self) -> None:
        print("\n" + "".join(f"{heading:>16}" for heading in ("files", *COLUMNS)))
        for name, counts in self.files.items():
            print(f"{name:>16}" + "".join(f"{counts[column]:>16}" for column in COLUMNS))
        for name in VALUES:
            keys = ", ".join(f"{count} {what}" for what, count in self.keys[name].items() if count)
            print(f"values of {name}: {keys}")


def shown(value: Any) -> str:
    text = value if value == ABSENT else repr(value)
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}…"


def read_checkout(root: Path, renames: Renames) -> Checkout:
    files: dict[str, str] = {}
    others: Counter[str] = Counter()
    for path in paths_under(root):
        if renames.is_ignored(path):
            continue
        if name := class_of(path):
            files[path] = name
        else:
            others[Path(path).suffix] += 1
    return Checkout(root, files, others)


def paths_under(root: Path) -> Iterator[str]:
    for folder in FOLDERS:
        for place, folders, names in os.walk(root / folder):
            folders.sort()
            yield from ((Path(place) / name).relative_to(root).as_posix() for name in sorted(names))


def class_of(path: str) -> str | None:
    return next((name for name, pattern in CLASSES.items() if pattern.fullmatch(path)), None)


@dataclass(frozen=True)
class Comparison:
    old: Checkout
    new: Checkout
    renames: Renames
    report: Report

    def run(self) -> None:
        """Compare all files of both sides. Raises ValueError if two files of OLD are expected at one place in NEW."""
        seen: set[str] = set()
        for path, name in self.old.files.items():
            new_path = self.renames.new_path(path)
            if new_path in seen:
                raise ValueError(f"renamed.yaml: two files of OLD are expected at {new_path}")
            seen.add(new_path)
            if self.renames.is_excluded(path):
                self.report.files[name]["excluded"] += 1
            elif new_path not in self.new.files:
                self.report.missing(name, "NEW", new_path)
            else:
                self.report.compared(name, path, self.differences(name, path, new_path))
        seen |= {companion for path in seen for companion in self.renames.companions(path)}
        for path, name in self.new.files.items():
            if path not in seen and not self.renames.is_excluded(path):
                self.report.missing(name, "OLD", path)

    def differences(self, name: str, path: str, new_path: str) -> list[Difference]:
        old, new = self.old.root / path, self.new.root / new_path
        if name in BYTES or name in PIXELS:
            return byte_differences(old, new) if name in BYTES else pixel_differences(old, new)
        old_values, (new_values, conflicts) = read_values(old), self.new_values(new_path)
        self.report.keys[name]["values"] += len(old_values)
        if name == "histories":
            old_values, new_values = old_values | mean_losses(old), new_values | mean_losses(new)
        self.report.keys[name].update(self.renames.reconcile(path, old_values, new_values))
        return [*conflicts, *value_differences(old_values, new_values)]

    def new_values(self, path: str) -> tuple[Values, list[Difference]]:
        """The values of a file of NEW and of its companions, and where these contradict each other."""
        values, conflicts = read_values(self.new.root / path), []
        for companion in self.renames.companions(path):
            if companion not in self.new.files:
                continue
            others = read_values(self.new.root / companion)
            both = [
                Difference(f"{key} (NEW, also in {companion})", values[key], others[key])
                for key in values.keys() & others.keys()
            ]
            conflicts += [pair for pair in both if not are_equal(pair.old, pair.new)]
            values = others | values
        return values, conflicts


def build_faults(checkout: Checkout, renames: Renames) -> list[str]:
    """What DVC's locks tell of an incomplete build: outputs that do not exist, inputs of another version."""
    locks = sorted(path for pattern in LOCKS for path in checkout.root.glob(pattern))
    stages = {f"{path}:{name}": stage for path in locks for name, stage in lock_stages(path)}
    outputs = {out["path"]: out["md5"] for stage in stages.values() for out in stage.get("outs", [])}
    absent = [path for path in outputs if not renames.is_ignored(path) and not (checkout.root / path).exists()]
    stale = [
        f"{stage} used another version of {dep['path']}"
        for stage, content in stages.items()
        for dep in content.get("deps", [])
        if outputs.get(dep["path"], dep["md5"]) != dep["md5"] and not renames.is_ignored(dep["path"])
    ]
    return [*(f"{path} is in the lock and does not exist" for path in absent), *stale]


def lock_stages(path: Path) -> list[tuple[str, Any]]:
    content = path.read_text(encoding="utf-8")
    stages: dict[str, Any] = yaml.load(content, getattr(yaml, "CSafeLoader", yaml.SafeLoader))["stages"]
    return list(stages.items())


def check_builds(comparison: Comparison) -> None:
    """Report faults of both builds, and classes with nothing to compare: both would make equality worthless."""
    for side, checkout in (("OLD", comparison.old), ("NEW", comparison.new)):
        faults = build_faults(checkout, comparison.renames)
        for fault in faults[:MOST_LINES]:
            comparison.report.fail(f"{side} is not completely built: {fault}")
        if len(faults) > MOST_LINES:
            print(f"{side} is not completely built: and {len(faults) - MOST_LINES} more faults")
        others = ", ".join(f"{count} {suffix}" for suffix, count in sorted(checkout.others.items()))
        print(f"information: {side}: files of no class, not compared: {others or 'none'}")
    for name in sorted(CLASSES.keys() - set(comparison.old.files.values())):
        comparison.report.fail(f"{name}: no file in OLD, nothing is compared")


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("old", type=Path)
    parser.add_argument("new", type=Path)
    parser.add_argument(
        "--same-layout", action="store_true", help="apply no renaming, only what is ignored or excluded"
    )
    options = parser.parse_args(arguments)
    for root in (options.old, options.new):
        if not (root / "results").is_dir():
            parser.error(f"{root} has no folder results; give a checkout in which the pipeline was run")
    renames = load(Path(__file__).with_name("renamed.yaml"), options.same_layout)
    report = Report()
    comparison = Comparison(read_checkout(options.old, renames), read_checkout(options.new, renames), renames, report)
    check_builds(comparison)
    comparison.run()
    report.summary()
    print("DIFFERENT" if report.failed else "EQUAL")
    return int(report.failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

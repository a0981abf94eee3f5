"""Every place in the project, named once, and links on the way to them. All are relative to the project's root."""

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from cellar.errors import CellarError, reason

EXPERIMENTS = ".dvc/tmp/exps"  # where `dvc exp run --temp` and `--queue` have their temporary checkouts


def checkout(folder: Path) -> Path | None:
    """The checkout that a temporary one of an experiment belongs to; None of any other folder."""
    above, inside, _ = f"{folder}/".partition(f"/{EXPERIMENTS}/")
    return Path(above) if inside else None


EXPERIMENT_OF = checkout(Path.cwd())  # as the process starts
# What is no output of a stage, and never wrong: an experiment shares it with its checkout, and leaves it there.
SHARED = EXPERIMENT_OF or Path()

STUDIES = Path("studies")
RESULTS = Path("results")
TABLES = Path("results/tables")
FIGURES = Path("results/figures")
REPORT = Path("results/report.html")
CRATE = Path("results/crate")
METRICS = Path("results/metrics")
RESOLVED = Path("results/resolved")
TEACHER_LOGITS = SHARED / ".cache/teacher_logits"
RECORDS = SHARED / "results/records"
INDEX = Path("results/index.md")
RUNS = Path("runs")
PACKAGE = Path(__file__).parent
FOLLOWED = ("cellar.data.", "cellar.methods.", "cellar.models.", "studies.")  # of which methods and networks are made


def printed(study: str) -> Path:
    """Every value that a study's paper prints."""
    return STUDIES / study / "printed.yaml"


def built(folder: Path, suffix: str) -> dict[str, Path]:
    """Id -> file of the tables or figures below `folder`; a new study's are in a folder of its own, study/name."""
    found = sorted(folder.rglob(f"*{suffix}"))
    return {str(path.relative_to(folder).with_suffix("")): path for path in found}


def prepared(dataset: str) -> Path:
    """Holds arrays.npz, manifest.json."""
    return Path("data/prepared") / dataset


def faces(name: str) -> Path:
    """Holds index.json and shards of images."""
    return Path("data/faces") / name


def features(teacher: str) -> Path:
    """Holds held_out.npz (of the data set)."""
    return Path("results/features") / teacher


def part_activations(teacher: str) -> Path:
    """Arrays untrained (60, D), trained (60, D), part (60,), images (20, H, W, 3)."""
    return Path("results/features/parts") / teacher / "activations.npz"


def trained(kind: str, key: str, seed: int) -> Path:
    """`kind` is teachers, students or generators. Holds weights.safetensors, last.safetensors, history.csv,
    losses.npz."""
    return Path("results") / kind / key / f"seed-{seed}"


def model_counts(study: str) -> Path:
    """Parameters and bytes of the networks that a study names."""
    return METRICS / "models" / f"{study}.json"


def audit(dataset: str) -> Path:
    """Holds pairs.csv."""
    return Path("results/audit") / dataset


def audit_pairs(dataset: str) -> Path:
    return audit(dataset) / "pairs.csv"


def audit_metrics(dataset: str) -> Path:
    return Path("results/metrics/audit") / f"{dataset}.json"


def predictions(kind: str, key: str, seed: int) -> Path:
    """Holds predictions.npz, details.json and, of a classifier, confusion.csv."""
    return Path("results/predictions") / kind / key / f"seed-{seed}"


def details(kind: str, key: str, seed: int) -> Path:
    """What an evaluation computes beyond the metrics file: values per class, training images, confusion matrix."""
    return predictions(kind, key, seed) / "details.json"


def confusion(kind: str, key: str, seed: int) -> Path:
    """One row per test image: actual class, predicted class. For `dvc plots`, template confusion."""
    return predictions(kind, key, seed) / "confusion.csv"


def metrics(kind: str, key: str, seed: int) -> Path:
    return Path("results/metrics") / kind / key / f"seed-{seed}.json"


def costs(dataset: str, model: str) -> Path:
    return Path("results/metrics/costs") / f"{dataset}-{model}.json"


def export(name: str) -> Path:
    """`name` is study/export. Holds student.onnx, student.int8.onnx and model_card.md."""
    return RESULTS / "exports" / name


def export_metrics(name: str) -> Path:
    """Its predictions are in results/predictions/exports/<name>/predictions.npz."""
    return METRICS / "exports" / f"{name}.json"


def export_predictions(name: str) -> Path:
    return Path("results/predictions/exports") / name / "predictions.npz"


def export_speed(name: str) -> Path:
    return METRICS / "export_speed" / f"{name}.json"


def training_costs(key: str) -> Path:
    """`key` is <study>/<experiment>."""
    return Path("results/metrics/training_costs") / f"{key}.json"


def in_project(file: Path) -> Path:
    """A code file's path in the project: of the running package src/cellar/…, of a study studies/…."""
    return Path("src/cellar") / file.relative_to(PACKAGE) if file.is_relative_to(PACKAGE) else file


def source_file(name: str | Path) -> Path:
    """The code file that a path in the project names: for src/cellar/… that of the running package."""
    path = Path(name)
    return PACKAGE.joinpath(*path.parts[2:]) if path.parts[:2] == ("src", "cellar") else path


def imported(source: Path) -> list[Path]:
    """The files of data, methods, networks and studies that a code file imports."""
    folders = {"cellar": PACKAGE, "studies": STUDIES}
    places = [folders[root].joinpath(*rest) for root, *rest in modules_of(source, source.stat().st_mtime_ns)]
    files = [file for place in places for file in (place.with_suffix(".py"), place / "__init__.py")]
    return [file for file in dict.fromkeys(files) if file.is_file()]


@cache
def modules_of(source: Path, changed: int) -> list[list[str]]:
    """The parts of every imported name that may be a module of FOLLOWED."""
    package = (source.relative_to(PACKAGE.parent) if source.is_relative_to(PACKAGE) else source).parent.parts
    names = [name for node in ast.walk(parsed(source)) for name in named(node, package)]
    return [name.split(".") for name in names if name.startswith(FOLLOWED)]


def parsed(source: Path) -> ast.Module:
    """Raises CellarError for a code file that is not Python, as one is while it is written."""
    try:
        return ast.parse(source.read_text(encoding="utf-8"))
    except SyntaxError as error:
        raise CellarError(f"{source}, line {error.lineno}: {error.msg}; mend it, then run again") from None
    except ValueError as error:  # of no UTF-8, of null bytes
        raise CellarError(f"{source}: {reason(error)}; mend it, then run again") from None


def named(node: ast.AST, package: tuple[str, ...]) -> list[str]:
    """What a statement in a package imports; whether b of `from a import b` is a module, its file tells."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if not isinstance(node, ast.ImportFrom):
        return []
    above = package[: len(package) + 1 - node.level] if node.level else ()
    module = ".".join(filter(None, [*above, node.module]))
    return [module, *(f"{module}.{alias.name}" for alias in node.names)]


def pipeline_file(study: str, sweep: bool = False, results: bool = False) -> Path:
    """A dvc.yaml of a study, or of what studies share (""): of data and trainings, of sweeps, or of results (evaluations,
    tables and figures)."""
    folder = "sweeps" if sweep else "results" if results else ""
    return Path(STUDIES / study if study else "") / folder / "dvc.yaml"


def pipeline_files(name: str = "dvc.yaml", root: Path = Path()) -> list[Path]:
    """The project's own that exist, relative to its root; `name`: dvc.lock for the locks. A dvc.yaml elsewhere in a
    study's folder is not of this project."""
    of_studies = (path for folder in ("", "results", "sweeps") for path in (root / STUDIES).glob(f"*/{folder}/{name}"))
    found = [root / name, root / "results" / name, *sorted(of_studies)]
    return [path.relative_to(root) for path in found if path.exists()]


def stage_name(kind: str, job: str) -> str:
    """A stage's name in its dvc.yaml. DVC takes letters, digits, - and _ only."""
    return "-".join([kind, *([re.sub(r"[^A-Za-z0-9_]+", "-", job)] if job else [])])


def stage_address(kind: str, job: str, study: str = "", sweep: bool = False, results: bool = False) -> str:
    """What `dvc repro` calls a stage, from the root."""
    file, name = pipeline_file(study, sweep, results), stage_name(kind, job)
    return f"{file}:{name}" if len(file.parts) > 1 else name


def resolved(kind: str, job: str, study: str = "") -> Path:
    """The resolved settings of a stage; `study` is "" for one that studies share."""
    return RESOLVED / (study or "shared") / f"{stage_name(kind, job)}.json"


def outputs_of(definition: Mapping[str, Any]) -> list[str]:
    """The paths of an entry of dvc.yaml, where an output is a path or a mapping from it to options."""
    listed = [*definition.get("outs", []), *definition.get("metrics", []), *definition.get("plots", [])]
    return [next(iter(out)) if isinstance(out, dict) else out for out in listed]


# A stage may read through a link to a folder; DVC refuses to keep an output that lies behind one, after it was made.
REMEDY_OF_LINK = (
    "put the folder back, then either keep DVC's cache there (dvc cache dir FOLDER, dvc config cache.type symlink), "
    "or mount the disk here (mount --bind)"
)


def check_not_linked(outputs: Iterable[str]) -> None:
    """Raises CellarError, with the link and what to do, if one of these outputs of stages lies behind a link."""
    for path in outputs:
        for link in links_to(path):
            raise CellarError(
                f"{link} is a link to {target_of(link)}, and DVC keeps no outputs there; {remedy_of_link(link)}"
            )


def remedy_of_link(link: str) -> str:
    """Real data is only read: it may lie anywhere."""
    of_raw_data = "; of raw data, link only what is read, such as data/raw/NAME" if link in ("data", "data/raw") else ""
    return REMEDY_OF_LINK + of_raw_data


def links_to(path: str) -> Iterator[str]:
    """The links to folders on the way to `path`, and `path` if it is one."""
    parts = Path(path).parts
    yield from (link for length in range(1, len(parts) + 1) if is_link_to_folder(link := str(Path(*parts[:length]))))


def is_link_to_folder(path: str) -> bool:
    """To a file does not matter: DVC makes such ones itself, where cache.type is symlink."""
    return Path(path).is_symlink() and not Path(path).is_file()


def target_of(link: str) -> Path:
    return Path(link).resolve()

"""Values computed again from their inputs: metrics from kept predictions, tables from metrics."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cellar import files, paths, tables
from cellar.config import Config
from cellar.deployment.export import scores
from cellar.errors import CellarError, count
from cellar.metrics import from_predictions, scalars
from cellar.provenance.lineage import Stage
from cellar.tables import cells, render

SHOWN = 3
MOST_CELLS = 10
OF_EXPORTS = f"{paths.METRICS}/exports/"
RESULTS_OF_RUNS = (*(f"{paths.METRICS}/{kind}/" for kind in ("teachers", "students")), OF_EXPORTS)


def wrong_metrics(stages: list[Stage]) -> Iterator[str]:
    """Metrics that differ from those computed from the stored predictions."""
    for path in sorted({file.path for stage in stages for file in stage.makes}):
        predictions = Path(path.replace("metrics", "predictions", 1)).with_suffix("") / "predictions.npz"
        if path.startswith(RESULTS_OF_RUNS) and Path(path).exists() and predictions.exists():
            try:
                yield from (wrong_export if path.startswith(OF_EXPORTS) else wrong_metric)(path, predictions)
            except CellarError as error:
                yield in_one_line(error)
            except (KeyError, ValueError, IndexError, TypeError, AttributeError) as error:
                yield f"{path}: cannot be compared with {predictions} ({type(error).__name__}: {in_one_line(error)})"


def wrong_metric(path: str, predictions: Path) -> Iterator[str]:
    details, confusion = files.read_json(predictions.with_name("details.json")), predictions.with_name("confusion.csv")
    stored = scalars.merge(files.read_json(Path(path)), details)
    kind, arrays, classes = details["kind"], files.read_arrays(predictions), list(stored.get("per_class", []))
    given = from_predictions.compute(kind, arrays, classes)
    yield from other_numbers(path, predictions, flat(given), flat({key: stored.get(key) for key in given}))
    if confusion.exists() and confusion.read_text(encoding="utf-8") != from_predictions.confusion_csv(arrays, classes):
        yield f"{confusion}: {predictions} gives other classes"


def wrong_export(path: str, predictions: Path) -> Iterator[str]:
    """The scores of a student's exported files; their sizes are those of the files, not of predictions."""
    given, stored = flat(scores.of_predictions(files.read_arrays(predictions))), flat(files.read_json(Path(path)))
    yield from other_numbers(path, predictions, given, {key: stored.get(key) for key in given})


def other_numbers(path: str, predictions: Path, ours: dict[str, Any], theirs: dict[str, Any]) -> Iterator[str]:
    keys = [key for key in ours | theirs if ours.get(key) != theirs.get(key)]
    if keys:
        shown = [f"{key} is {theirs.get(key)}, not {ours.get(key)}" for key in keys[:SHOWN]]
        more = [f"and {len(keys) - SHOWN} more"] if len(keys) > SHOWN else []
        yield f"{path}: {predictions} gives other numbers: {'; '.join([*shown, *more])}"


def flat(value: Any, name: str = "") -> dict[str, Any]:
    """Nested mappings as one, keys joined by dots."""
    if not isinstance(value, dict):
        return {name: value}
    return {k: v for key, inner in value.items() for k, v in flat(inner, f"{name}.{key}" if name else key).items()}


def wrong_table(name: str, settings: Config, cell: tuple[str, str] | None = None) -> Iterator[str]:
    """A table whose Markdown differs from its JSON, or whose JSON differs from one built again; of one cell, if given."""
    source, page = (paths.TABLES / f"{name}.{suffix}" for suffix in ("json", "md"))
    try:
        found = files.read_json(source)
        if page.exists() and page.read_bytes() != render.markdown(cells.from_json(found)).encode():
            yield f"{page}: differs from {source}"
        if all(Path(path).exists() for path in tables.find(name, settings).inputs()):
            built = json.loads(json.dumps(cells.as_json(tables.build(name, settings))))
            yield from (f"{source}: {words}" for words in differences(built, found, cell))
    except CellarError as error:
        yield in_one_line(error)
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        yield f"{source}: cannot be compared with its inputs ({type(error).__name__}: {in_one_line(error)})"


def differences(built: dict[str, Any], found: dict[str, Any], cell: tuple[str, str] | None) -> Iterator[str]:
    """The cells in which a table differs from one built again or, if none does, the other keys."""
    if built == found:
        return
    ours, theirs = cells_of(built), cells_of(found)
    wrong = [place for place in ours | theirs if ours.get(place) != theirs.get(place) and cell in (None, place)]
    for row, column in wrong[:MOST_CELLS]:
        kept, given = (side.get((row, column), {}).get("value") for side in (theirs, ours))
        yield f"cell {row}, {column} is not what its inputs give: {kept} here, {given} from them"
    if len(wrong) > MOST_CELLS:
        yield f"{count(len(wrong) - MOST_CELLS, 'more cell')} not what its inputs give"
    keys = [key for key in built | found if built.get(key) != found.get(key)]
    if keys and not wrong and cell is None:
        yield f"{', '.join(keys)} not as its inputs and params.yaml give"


def cells_of(table: dict[str, Any]) -> dict[tuple[str, str], Any]:
    return {(row["id"], column): cell for row in table["rows"] for column, cell in row["cells"].items()}


def in_one_line(error: Exception) -> str:
    return " ".join(str(error).split())

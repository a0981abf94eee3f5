"""The printed values of the paper, and where it prints one quantity several times."""

from collections.abc import Mapping
from typing import Any

from cellar.tables import printed_values
from cellar.tables.checks.printed_twice import Quantities
from cellar.tables.printed_values import Paper, Place

KEY = "mini_resemotenet"
DATASETS = {"fer2013": "FER2013", "raf_db": "RAF-DB"}  # in params.yaml -> as printed
IN_TABLE_V = {"teacher": "ResEmoteNet", "E1": "E1A", "E4": "E4B"}  # rows of Table IV there
IN_TABLE_VI = {"teacher": "ResEmoteNet", "E1": "Student Model A(E1)", "E4": "Student Model B(E4)"}
VI_COLUMNS = {"FER2013": "fer2013_accuracy", "RAF-DB": "raf_db_accuracy"}
II_IN_VI = {"ResEmoteNet": "ResEmoteNet", "Student Model A": "Student Model A(E1)", "Student Model B": "Student Model B(E4)"}  # fmt: skip
I_IN_VI = {"Segmentation VGG-19": "SegmentationVGG-19"}
PRIOR_WORK = ("POSTER++", "QCS", "FMAE", "Segmentation VGG-19", "EmoNeXt", "Ensemble ResMaskingNet")


def paper() -> Paper:
    return printed_values.paper(KEY)


def table(name: str) -> dict[str, Any]:
    """A printed table, such as `table_IV`."""
    return paper().table(name)


def variants(dataset: str, row: str, printed: float | None) -> list[float]:
    """What else the paper prints for one accuracy: in its Tables IV and VI and in its text.

    dataset: FER2013 or RAF-DB; row: teacher, E1 ... E6; `printed`: the value already shown.
    """
    fourth = table("table_IV")
    values = [fourth[dataset].get(row, {}).get("accuracy")]
    if row in IN_TABLE_VI:
        values.append(table("table_VI")["rows"][IN_TABLE_VI[row]][VI_COLUMNS[dataset]])
    values.append(fourth["text_variants"].get(f"{dataset}.{row}.accuracy", {}).get("value"))
    return sorted({value for value in values if value not in (None, printed)})


def quantities(paper: Paper) -> Quantities:
    """Every accuracy and parameter count, with all places where it may be printed."""
    accuracies = {
        f"accuracy of {row} on {dataset}": places_of_accuracy(dataset, row)
        for dataset in VI_COLUMNS
        for row in paper.table("table_IV")[dataset]
    }
    return accuracies | {f"parameters of {name}": places_of_parameters(name) for name in (*PRIOR_WORK, *II_IN_VI)}


def places_of_accuracy(dataset: str, row: str) -> list[Place]:
    """Table IV first."""
    return [
        ("tables", "table_IV", dataset, row, "accuracy"),
        ("tables", "table_V", "rows", f"{dataset}.accuracy", IN_TABLE_V.get(row, "")),
        ("tables", "table_VI", "rows", IN_TABLE_VI.get(row, ""), VI_COLUMNS[dataset]),
        ("text", dataset, row, "accuracy"),
    ]


def places_of_parameters(name: str) -> list[Place]:
    """Tables I and VI list prior work too, Table II the students."""
    return [
        ("tables", "table_I", "rows", name, "total_parameters"),
        ("tables", "table_II", "rows", name, "total_parameters"),
        ("tables", "table_VI", "rows", II_IN_VI.get(name, I_IN_VI.get(name, name)), "parameters"),
    ]


def images() -> Mapping[str, Mapping[str, int]]:
    """The image counts of Table III, as the audit shows them."""
    total = table("table_III")["rows_as_printed"]["Total"]
    return {
        "fer2013": {"learnt": total["fer_train"] + total["fer_public"], "test": total["fer_private"]},
        "raf_db": {"learnt": total["raf_train"], "test": total["raf_test"]},
    }

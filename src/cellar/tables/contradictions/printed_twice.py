"""One quantity, printed in several places with different values."""

from collections.abc import Iterator

from cellar.tables.contradictions.paper import Finding, Paper
from cellar.tables.numbers import number_text
from cellar.tables.printed import Place, label
from cellar.tables.reference import IN_TABLE_VI, MINI_RESEMOTENET, VI_COLUMNS

KIND = "printed twice"
IN_TABLE_V = {"teacher": "ResEmoteNet", "E1": "E1A", "E4": "E4B"}
IN_TABLE_II = {"ResEmoteNet": "ResEmoteNet", "Student Model A": "Student Model A(E1)", "Student Model B": "Student Model B(E4)"}  # fmt: skip
OTHER_NAMES = {"Segmentation VGG-19": "SegmentationVGG-19"}  # of Table I in Table VI

Quantities = dict[str, list[Place]]  # name -> where it is printed


def check(paper: Paper) -> Iterator[Finding]:
    for name, places in quantities(paper).items():
        values = {place: paper.number(place) or 0 for place in places}
        low, high = min(places, key=values.__getitem__), max(places, key=values.__getitem__)
        if values[low] != values[high]:
            said = "; ".join(f"{label(place).partition(':')[0]}: {paper.shown(place)}" for place in places)
            away = number_text(round(values[high] - values[low], 4), None)
            yield Finding(KIND, name, said, "one value", f"{paper.shown(high)} - {paper.shown(low)} = {away}")


def quantities(paper: Paper) -> Quantities:
    """Those that are printed twice or more."""
    found = {**accuracies(paper), **parameters()} if paper.name == MINI_RESEMOTENET else {}
    known = {name: [place for place in places if paper.number(place) is not None] for name, places in found.items()}
    return {name: places for name, places in known.items() if len(places) > 1}


def accuracies(paper: Paper) -> Quantities:
    return {
        f"accuracy of {row} on {dataset}": elsewhere(dataset, row)
        for dataset in VI_COLUMNS
        for row in paper.data["tables"]["table_IV"][dataset]
    }


def elsewhere(dataset: str, row: str) -> list[Place]:
    """Where an accuracy of Table IV may be printed, that table first."""
    return [
        ("tables", "table_IV", dataset, row, "accuracy"),
        ("tables", "table_V", "rows", f"{dataset}.accuracy", IN_TABLE_V.get(row, "")),
        ("tables", "table_VI", "rows", IN_TABLE_VI.get(row, ""), VI_COLUMNS[dataset]),
        ("text", dataset, row, "accuracy"),
    ]


def parameters() -> Quantities:
    """Tables I and VI have other methods' too, Table II the students'."""
    methods = ("POSTER++", "QCS", "FMAE", "Segmentation VGG-19", "EmoNeXt", "Ensemble ResMaskingNet", *IN_TABLE_II)
    return {
        f"parameters of {name}": [
            ("tables", "table_I", "rows", name, "total_parameters"),
            ("tables", "table_II", "rows", name, "total_parameters"),
            ("tables", "table_VI", "rows", IN_TABLE_II.get(name, OTHER_NAMES.get(name, name)), "parameters"),
        ]
        for name in methods
    }

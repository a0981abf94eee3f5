"""Table I: size and parameters of ResEmoteNet and of the methods it is compared with."""

from cellar import files, paths
from cellar.config import Params
from cellar.tables import verdicts
from cellar.tables.cells import Cell, Column, Row, Table, keyed_row

from ..printed import KEY, table

# Printed row -> the network whose parameters it prints. Two of them are torchvision's under another name.
COUNTED = {
    "ResEmoteNet": "resemotenet",
    "Ensemble ResMaskingNet": "torchvision:resnet34(7)",
    "FMAE": "torchvision:vit_l_16(1000)",
}
TRUNK = "torchvision:vgg19_bn(7)"


def inputs(params: Params) -> list[str]:
    return [str(paths.printed(KEY)), str(paths.model_counts(KEY))]


def build(params: Params) -> Table:
    counts = files.read_json(paths.model_counts(KEY))
    rows = []
    for label, printed in table("table_I")["rows"].items():
        network = COUNTED.get(label, "")
        counted, another = counts.get(network), network if ":" in network else None
        cells = {
            "model_size_mb": counted_cell(counted, "mb_decimal", "MB", printed["model_size_mb"], another),
            "total_parameters": counted_cell(counted, "parameters", "count", printed["total_parameters"], another),
        }
        rows.append(Row(row_id(label), label, keyed_row(cells, "tables", "table_I", "rows", label)))
    return Table(
        "table_i", "Table I. Model size and parameters", KEY, params.scale.model_dump(), notes(counts),
        [Column("model_size_mb", "size (MB)", "MB"), Column("total_parameters", "parameters", "count")], rows,
    )  # fmt: skip


def counted_cell(
    counted: dict[str, float] | None, key: str, unit: str, printed: float, another: str | None = None
) -> Cell:
    """`another`: the network that was counted, where the printed row has another name."""
    if counted is None:
        return Cell("reported", printed, unit)
    verdict, reason = verdicts.of_count(counted[key], printed)
    if verdict == "reproduced" and another:
        verdict, reason = "paper inconsistent", f"the printed number is that of {another}"
    return Cell(
        "counted",
        counted[key],
        unit,
        printed,
        None,
        verdict,
        reason,
        stage=[paths.stage_address("count_models", "", KEY)],
        metrics=[str(paths.model_counts(KEY))],
    )


def notes(counts: dict[str, dict[str, float]]) -> list[str]:
    trunk = counts[TRUNK]["parameters"]
    rest = table("table_I")["rows"]["Segmentation VGG-19"]["total_parameters"] - trunk
    return [
        "Sizes here are parameters x 4 / 10^6; Table V prints the same networks as parameters x 4 / 2^20.",
        "The row Ensemble ResMaskingNet prints the parameters of torchvision's resnet34 with 7 classes, not those of the masking network, of which the ensemble has several.",
        "FMAE prints the parameters of ViT-L/16 with ImageNet's 1000-class head (torchvision's vit_l_16).",
        f"Segmentation VGG-19: torchvision's vgg19_bn with 7 classes has {trunk:,} of them; its mask blocks, not rebuilt here, would have the other {rest:,}.",
    ]


def row_id(label: str) -> str:
    """A printed label as an identifier: "POSTER++ " -> poster_pp."""
    return "_".join(label.lower().replace("++", "_pp").replace("-", "_").replace("__", "_").split())

"""What the paper prints of its trainings: sections 6.1 to 6.4, and learning rate and epoch of each row of its tables."""

from typing import Any

from cellar.tables.comparable import PrintedTraining

from .printed import DATASET, NETWORKS, OF_CODE, data, paper
from .tables.lines import ROWS, TEXT_R2, place_of, printed_at


def printed_training(dataset: str, row: str | None) -> PrintedTraining | None:
    """Of a row of Tables 1 to 6 or of a pre-training in the text; None for what the paper does not have."""
    if dataset != DATASET or row not in ROWS:
        return None
    table, name = ROWS[row]
    printed = printed_at(place_of(table, row, name), row)
    if not printed:
        return None
    settings = {"model": networks(name), **settings_of(table, row)}
    if row not in TEXT_R2:
        settings |= own_settings(printed)
    return PrintedTraining(settings, {"train": data()["dataset"]["train_total"]})


def networks(name: str) -> tuple[str, ...]:
    """The network that the paper cites, or the authors' code's own form of it."""
    cited = NETWORKS[name]
    return (cited, *(code for code, other in OF_CODE.items() if other == cited))


def settings_of(table: str, row: str) -> dict[str, Any]:
    stated = paper().data["hyperparameters"]["from_seed"]
    if row.endswith("_features"):
        own = stated["kd_features_pretrain"]
        return {
            "faces.count": own["images"],
            "recipe.batch_size": own["batch_size"],
            "recipe.schedule.inverse_sqrt": True,
        }
    if table == "table_1":
        return {"recipe.optimizer": stated["one_shot"]["optimizer"].lower()}
    if table == "table_4":
        own = stated["kd_labels"]
        return {
            "recipe.batch_size": own["batch_size"],
            "method.name": "logit_kd",
            "method.temperature": own["T"],
            "method.task_weight": own["alpha"],  # of the hard labels
        }
    steps = "classification" if table in ("table_2", "table_3") else "kd_features_finetune"
    return {"recipe.batch_size": stated[steps]["batch_size"], "recipe.schedule.inverse_sqrt": True}


def own_settings(printed: dict[str, Any]) -> dict[str, Any]:
    """A table prints beside a row the epoch of its best score, to which the training has to last."""
    names = {"lr": "recipe.learning_rate", "epoch": "recipe.epochs"}
    return {key: printed[name] for name, key in names.items() if name in printed}

"""What the paper prints of its trainings: section III.D, and model, T and alpha of each row of Table IV."""

from cellar.tables.comparable import PrintedTraining

from .printed import DATASETS, paper, table

MODELS = {  # printed name -> cellar.models name
    "ResEmoteNet": "resemotenet",
    "Student Model A": "resemotenet_a",
    "Student Model B": "resemotenet_b",
    "Student Model C": "resemotenet_c",
}


def printed_training(dataset: str, row: str | None) -> PrintedTraining | None:
    """Of a row of Table IV, or of the teacher where `row` is None; None for what the paper does not have."""
    rows = table("table_IV")[DATASETS[dataset]] if dataset in DATASETS else {}
    if (row or "teacher") not in rows:
        return None
    printed, stated = rows[row or "teacher"], paper().data["hyperparameters"]["from_seed"]
    settings = {
        "model": MODELS[printed["model"]],
        "recipe.epochs": stated["epochs"],
        "recipe.batch_size": stated["batch_size"],
        "recipe.optimizer": stated["optimizer"].lower(),
        "recipe.learning_rate": stated["lr"],
        "recipe.schedule.plateau.factor": stated["scheduler_factor"],
        "recipe.class_weighting": "balanced" if stated["class_weighted_ce"] else "none",
        "dataset.augmentation": "flip",  # random_horizontal_flip
    }
    if row is None:
        return PrintedTraining(settings, images(dataset))
    settings |= {"method.name": "logit_kd", "method.temperature": printed["T"], "method.task_weight": printed["alpha"]}
    return PrintedTraining(settings, images(dataset), teacher=printed_training(dataset, None))


def images(dataset: str) -> dict[str, int]:
    """Totals of Table III. Of RAF-DB it prints no validation images."""
    total = table("table_III")["rows_as_printed"]["Total"]
    if dataset == "fer2013":
        return {"train": total["fer_train"], "validation": total["fer_public"], "test": total["fer_private"]}
    return {"train and validation": total["raf_train"], "test": total["raf_test"]}

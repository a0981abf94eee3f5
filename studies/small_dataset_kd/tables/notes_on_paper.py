"""Notes under the tables: where the paper, its own numbers and its authors' code disagree.

Printed values are compared here, not typed; what only the text says is quoted in words.
"""

from collections.abc import Iterator

from cellar.tables.checks import averages

from ..checks import CLAIMED_BEST, better_than_claimed, late, worse
from ..printed import CLASSIFIED, data, paper, scored
from ..printed import rows as printed


def of_table(table: str) -> list[str]:
    """Of one table, `table_1` to `table_6`."""
    ways = {
        "table_1": of_one_shot,
        "table_2": of_scratch,
        "table_3": of_transfer,
        "table_4": of_labels,
        "table_5": of_mse,
        "table_6": of_bce,
    }
    common = [*training(), *epochs(table), *recalls(table)] if table in CLASSIFIED else []
    return [*ways[table](), *common]


def training() -> Iterator[str]:
    text, code = (data()["hyperparameters"][source]["classification"] for source in ("from_seed", "from_author_repo"))
    yield f"The paper's epoch is the {text['selection']} on the test images; it holds none out to choose by."
    yield f"Loss of classification: the paper says {text['loss']}, its authors' code has {code['loss']}."


def epochs(table: str) -> Iterator[str]:
    """Best epochs past the last one."""
    last = data()["hyperparameters"]["from_seed"]["classification"]["epochs"]
    past = [f"{epoch} ({name})" for name, epoch in late(paper(), table).items()]
    if past:
        yield f"Epochs: the paper trains for {last}, and prints as best epoch {' and '.join(past)}."


def recalls(table: str) -> Iterator[str]:
    """On a balanced set macro recall is the accuracy."""
    images = data()["dataset"]["per_class_train"]
    for place, train in averages.unequal_recalls(scored(paper(), "train")):
        if place[1] == table:
            yield (
                f"{place[3]}: of {images} training images an identity, macro REC is ACC; the paper prints "
                f"{train['rec']:.2f} and {train['acc']:.2f}."
            )


def thresholded(table: str) -> Iterator[str]:
    """Rows whose scores are not macro averages of one guess an image."""
    names = [place[3] for place, _ in averages.of_thresholds(scored(paper(), "test")) if place[1] == table]
    if names:
        yield (
            f"{' and '.join(names)}: the printed F1 is the harmonic mean of PRE and REC, and PRE > ACC > REC, as of "
            "guesses above a threshold, not of one guess an image: these rows come from another program."
        )


def of_one_shot() -> Iterator[str]:
    name, row = next((name, row) for name, row in printed("table_1").items() if "note" in row)
    curve = data()["figures"]["fig_8"]["read_off"]
    yield (
        f"{name}: the paper prints {row['acc']:.2f}; its Figure 8 has {100 * curve['train_max']:.0f} as the highest of "
        f"the train curve and {100 * curve['test_max']:.0f} of the test curve (read by eye): the printed one is of "
        "training triplets. It stands here beside the test figures, for the table does not say."
    )
    yield f"Margin of the triplet loss: {data()['hyperparameters']['from_seed']['one_shot']['margin']} in the paper."
    yield "ACC: share of triplets whose positive is nearer to the anchor than the negative (eq. 6 sums, the text divides)."


def of_scratch() -> Iterator[str]:
    claimed = printed("table_2")[CLAIMED_BEST]["test"]["f1"]
    better = [f"{f1:.2f} for {name}" for name, f1 in better_than_claimed(paper()).items()]
    if better:
        yield (
            f"The text says that {CLAIMED_BEST} has the highest F1 ({claimed:.2f}); the table has "
            f"{' and '.join(better)}."
        )
    network = data()["models"]["MobileNet"]
    exact = network["exact_params_105_v1"]
    yield (
        f"MobileNet: the paper gives {network['printed']['params']} parameters; its {network['printed']['conv']} "
        f"convolutions are MobileNet v1's, of {exact:,} parameters: {exact * 4 / 1e6:.2f} MB in 32-bit floats."
    )
    yield from thresholded("table_2")


def of_transfer() -> Iterator[str]:
    below = [
        f"{name} {alone:.2f} from scratch and {moved:.2f} from {init}" for name, init, moved, alone in worse(paper())
    ]
    if below:
        yield f"Transfer is worse than scratch in the paper: {'; '.join(below)}. The rows may have been swapped."
    yield (
        f"ResNet-50: section 5.4.1 says VGG-FACE, section 7.3 {printed('table_3')['ResNet-50']['init']}; the table names no "
        "weights."
    )
    yield from thresholded("table_3")


def of_labels() -> Iterator[str]:
    row = printed("table_4")["ConvNet-9"]
    teacher, value = row["teacher"], row["test"]["acc"]
    code = data()["hyperparameters"]["from_author_repo"]["kd_labels_branch"]
    yield (
        f"The paper prints {row['train']['acc']:g} and {value:g}, train and test as elsewhere; the latter, alone with "
        "three decimals, may be a loss."
    )
    scratch, moved = (printed(table)[teacher]["test"]["acc"] for table in ("table_2", "table_3"))
    yield (
        f"Teacher: {teacher} by transfer learning, trained on ImageNet, then on Pins (section 5.5): {moved:.2f} in "
        f"Table 3; from scratch it has {scratch:.2f} (Table 2). The only code of label KD has {code['teacher']}, weight "
        f"{code['kd_weight']:g}, rate {code['lr']:g}; the paper says weight {row['alpha']:g} of the labels, rate "
        f"{row['lr']:g}."
    )
    yield "Eq. 2 and 4 take the softmax of the student's probabilities and have no temperature; here of its logits / T."


def of_mse() -> Iterator[str]:
    text, row = data()["text_values"], printed("table_5")["ConvNet-9"]
    first, second, best = (text[key] for key in ("r2_convnet9_mse", "r2_resnet18_mse", "r2_resnet18_mse_best"))
    rates = " and ".join(f"{rate:f}".rstrip("0") for rate in best["lr_tried"])
    yield (
        f"R²: the text gives {first['value']:g} for ConvNet-9 at epoch {first['at_epoch']}, {second['value']:g} for "
        f"ResNet-18 at epoch {second['at_epoch']}, and {best['value']:g} as its best, after naming the learning rates "
        f"{rates}; the table's epoch {row['epoch']} is of the fine-tuning. ResNet-18 has no row in the paper's table."
    )
    yield (
        "R² of 0: the text says that any constant vector has it; only the mean of the very activations that are "
        "predicted has, other constants have less. R² here: plain mean over the activations, on test images."
    )
    yield (
        "MSE: the paper's formula sums over the activations and over b + 1 images, its text and its authors' code "
        "take the mean."
    )
    yield from pretraining()


def of_bce() -> Iterator[str]:
    models = data()["models"]
    small, big = models["ResNet-18"]["exact_params_connector2048_105"], models["ResNet-50"]["exact_params_105"]
    yield (
        f"The paper calls ResNet-18 approximately half the size of the deep model: with its connector {small:,} of "
        f"{big:,} parameters, {100 * small / big:.0f} %."
    )
    yield "The paper needs no additional labels, yet its teacher's connector is fitted to the labelled images first."
    yield "Not frozen: the text says that this is not much better than training from scratch, without numbers."
    yield from pretraining()


def pretraining() -> Iterator[str]:
    text, code = (
        data()["hyperparameters"][source]["kd_features_pretrain"] for source in ("from_seed", "from_author_repo")
    )
    yield (
        f"Pre-training: the paper has batches of {text['batch_size']} and faces of seeds {text['seeds']}; its authors' "
        f"code {code['batch_size']} and {code['seeds']}, of which {code['images_per_epoch']:,} an epoch."
    )

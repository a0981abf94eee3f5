"""What a paper says of its recipe, against its authors' own code."""

from collections.abc import Iterator, Mapping
from typing import Any

from cellar.tables.contradictions.paper import Finding, Paper
from cellar.tables.numbers import number_text
from cellar.tables.printed import worded
from cellar.tables.reference import CIFAR100_KD, MINI_RESEMOTENET, SMALL_DATASET_KD

KIND = "text against code"
CODE = {  # where the code's recipe stands, and whose it is
    MINI_RESEMOTENET: ("defaults_from_teacher_author_repo", "the code of the teacher's authors"),
    SMALL_DATASET_KD: ("from_author_repo", "its authors' code"),
    CIFAR100_KD: ("from_author_repo", "its author's code"),
}
OTHER_NAMES = {  # key of the text -> of the code
    "scheduler": "scheduler_in_code",
    "epochs": "epochs_actually_run",
    "kl_weight_best": "kl_weight",
    "T_best": "T",
    "kd_labels": "kd_labels_branch",
}
SAME_WORDS = {"CrossEntropyLoss": "cross entropy", "resnet50": "resnet-50"}  # as the text would write it
ABOUT = {"src", "from", "note"}

Difference = tuple[tuple[str, ...], Any, Any]  # keys, value of the text, value of the code


def check(paper: Paper) -> Iterator[Finding]:
    found, (code, whose) = paper.data["hyperparameters"], CODE[paper.name]
    for at, said, done in compared(found["from_seed"], found[code], ()):
        place = "Recipe: " + ", ".join(worded(one) for one in at)
        yield Finding(KIND, place, written(said), f"{written(done)} in {whose}", "both as they stand, side by side")
    if paper.name == SMALL_DATASET_KD:
        yield from never_applied(found["from_seed"], found["from_author_repo"])


def compared(text: Mapping[str, Any], code: Mapping[str, Any], at: tuple[str, ...]) -> Iterator[Difference]:
    """Keys that both have, by the same or another name, with values that differ."""
    for key, said in text.items():
        name = key if key in code else OTHER_NAMES.get(key, key)
        if name not in code or key in ABOUT:
            continue
        done = code[name]
        if isinstance(said, Mapping) and isinstance(done, Mapping):
            yield from compared(said, done, (*at, key))
        elif comparable(said, done) and plain(said) != plain(done):
            yield (*at, key), said, done


def comparable(said: Any, done: Any) -> bool:
    return not isinstance(said, list | Mapping) and not isinstance(done, list | Mapping)


def plain(value: Any) -> Any:
    return SAME_WORDS.get(value, value).lower() if isinstance(value, str) else value


def written(value: Any) -> str:
    return number_text(value, None)


def never_applied(text: Mapping[str, Any], code: Mapping[str, Any]) -> Iterator[Finding]:
    """Augmentations that the text lists, and the code has at probability 0."""
    for name in text["augmentation"]:
        if code["augmentation"].get(name, {}).get("p") == 0:
            yield Finding(KIND, f"Recipe: augmentation, {worded(name)}", "applied", "never applied by the code", "its probability there is 0")  # fmt: skip

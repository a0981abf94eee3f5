"""What the papers' text says of their tables: which two printed values a difference or a percentage is made of."""

from dataclasses import dataclass

from cellar.tables.printed import Place, label
from cellar.tables.reference import CIFAR100_KD, MINI_RESEMOTENET


@dataclass(frozen=True)
class Claim:
    """`larger` minus `smaller`, in points; or, if relative, by how many percent `smaller` is below `larger`."""

    larger: Place
    smaller: Place
    relative: bool = False

    @property
    def label(self) -> str:
        larger, smaller = label(self.larger), label(self.smaller)
        return f"by how many % {smaller} is below {larger}" if self.relative else f"{larger}, minus {smaller} (points)"

    def of(self, larger: float, smaller: float) -> float:
        return 100 * (larger - smaller) / larger if self.relative else larger - smaller

    def arithmetic(self, larger: str, smaller: str) -> str:
        return f"100 x ({larger} - {smaller}) / {larger}" if self.relative else f"{larger} - {smaller}"


def fourth(dataset: str, row: str) -> Place:
    return ("tables", "table_IV", dataset, row, "accuracy")


def sixth(row: str, column: str) -> Place:
    return ("tables", "table_VI", "rows", row, column)


def costs(row: str, column: str) -> Claim:
    whole, part = (("tables", "table_V", "rows", row, one) for one in ("ResEmoteNet", column))
    return Claim(whole, part, relative=True)


def accuracies(column: str) -> Claim:
    """Of the CIFAR-100 report: with KD minus without."""
    with_kd, without = (("tables", "table_2", "rows", f"Student ({word} KD)", column) for word in ("with", "without"))
    return Claim(with_kd, without)


CLAIMS: dict[str, dict[str, Claim]] = {
    MINI_RESEMOTENET: {
        "E1_vs_teacher_FER": Claim(fourth("FER2013", "teacher"), fourth("FER2013", "E1")),
        "E4_vs_teacher_FER": Claim(fourth("FER2013", "teacher"), fourth("FER2013", "E4")),
        "E6_vs_teacher_FER": Claim(fourth("FER2013", "teacher"), fourth("FER2013", "E6")),
        "E1_vs_teacher_RAF": Claim(fourth("RAF-DB", "teacher"), fourth("RAF-DB", "E1")),
        "E4_vs_teacher_RAF": Claim(fourth("RAF-DB", "teacher"), fourth("RAF-DB", "E4")),
        "E1_vs_EmoNeXt": Claim(fourth("FER2013", "E1"), sixth("EmoNeXt", "fer2013_accuracy")),
        "E1_vs_CMT_VGGFACE": Claim(fourth("RAF-DB", "E1"), sixth("C MT VGGFACE", "raf_db_accuracy")),
        "E4_vs_CMT_PSR": Claim(fourth("RAF-DB", "E4"), sixth("C MT PSR", "raf_db_accuracy")),
        "size_reduction_A": costs("model_size_mb", "E1A"),
        "size_reduction_B": costs("model_size_mb", "E4B"),
        "fer_memory_A": costs("FER2013.memory_mb", "E1A"),
        "fer_memory_B": costs("FER2013.memory_mb", "E4B"),
        "fer_time_A": costs("FER2013.avg_inference_ms", "E1A"),
        "fer_time_B": costs("FER2013.avg_inference_ms", "E4B"),
        "raf_memory_A": costs("RAF-DB.memory_mb", "E1A"),
        "raf_memory_B": costs("RAF-DB.memory_mb", "E4B"),
        "raf_time_A": costs("RAF-DB.avg_inference_ms", "E1A"),
        "raf_time_B": costs("RAF-DB.avg_inference_ms", "E4B"),
    },
    CIFAR100_KD: {"kd_gain": accuracies("accuracy_mean")},
}

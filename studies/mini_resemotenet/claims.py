"""The differences and percentages that the text states, and the printed values that each is made of."""

from cellar.tables.claims import Claim
from cellar.tables.printed_values import Place


def fourth(dataset: str, row: str) -> Place:
    return ("tables", "table_IV", dataset, row, "accuracy")


def sixth(row: str, column: str) -> Place:
    return ("tables", "table_VI", "rows", row, column)


def saved(row: str, column: str) -> Claim:
    """By how many percent a student is below the teacher in a row of Table V."""
    larger, smaller = (("tables", "table_V", "rows", row, name) for name in ("ResEmoteNet", column))
    return Claim(larger, smaller, relative=True)


CLAIMS = {
    "E1_vs_teacher_FER": Claim(fourth("FER2013", "teacher"), fourth("FER2013", "E1")),
    "E4_vs_teacher_FER": Claim(fourth("FER2013", "teacher"), fourth("FER2013", "E4")),
    "E6_vs_teacher_FER": Claim(fourth("FER2013", "teacher"), fourth("FER2013", "E6")),
    "E1_vs_teacher_RAF": Claim(fourth("RAF-DB", "teacher"), fourth("RAF-DB", "E1")),
    "E4_vs_teacher_RAF": Claim(fourth("RAF-DB", "teacher"), fourth("RAF-DB", "E4")),
    "E1_vs_EmoNeXt": Claim(fourth("FER2013", "E1"), sixth("EmoNeXt", "fer2013_accuracy")),
    "E1_vs_CMT_VGGFACE": Claim(fourth("RAF-DB", "E1"), sixth("C MT VGGFACE", "raf_db_accuracy")),
    "E4_vs_CMT_PSR": Claim(fourth("RAF-DB", "E4"), sixth("C MT PSR", "raf_db_accuracy")),
    "size_reduction_A": saved("model_size_mb", "E1A"),
    "size_reduction_B": saved("model_size_mb", "E4B"),
    "fer_memory_A": saved("FER2013.memory_mb", "E1A"),
    "fer_memory_B": saved("FER2013.memory_mb", "E4B"),
    "fer_time_A": saved("FER2013.avg_inference_ms", "E1A"),
    "fer_time_B": saved("FER2013.avg_inference_ms", "E4B"),
    "raf_memory_A": saved("RAF-DB.memory_mb", "E1A"),
    "raf_memory_B": saved("RAF-DB.memory_mb", "E4B"),
    "raf_time_A": saved("RAF-DB.avg_inference_ms", "E1A"),
    "raf_time_B": saved("RAF-DB.avg_inference_ms", "E4B"),
}

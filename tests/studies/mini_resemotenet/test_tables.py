"""Tables I, II, III, V and VI, by hand."""

from typing import Any

import pytest
import yaml

from cellar import files, paths
from tests.table_project import MINI, PARAMETERS, Project


def test_table_i_says_whose_parameters_are_printed(project: Project) -> None:
    for row, network in (
        ("ensemble_resmaskingnet", "torchvision:resnet34(7)"),
        ("fmae", "torchvision:vit_l_16(1000)"),
    ):
        cell = project.cell("table_i", row, "total_parameters")
        assert (cell.value, cell.verdict) == (PARAMETERS[network], "paper inconsistent")
        assert cell.reason == f"the printed number is that of {network}"


def test_table_i_cites_what_is_not_built_here(project: Project) -> None:
    cell = project.cell("table_i", "poster_pp", "total_parameters")
    assert (cell.kind, cell.value, cell.paper, cell.verdict) == ("reported", 58316594, None, None)


def test_table_i_takes_the_masks_apart(project: Project) -> None:
    """169,220,807 printed - 139,609,927 of vgg19_bn."""
    assert any("the other 29,610,880" in note for note in project.build("table_i").notes)


def test_a_wrong_count_differs(project: Project) -> None:
    counts = files.read_json(paths.model_counts(MINI))
    counts["resemotenet_c"]["parameters"] = 1257991
    files.write_json(paths.model_counts(MINI), counts)
    cell = project.cell("table_ii", "resemotenet_c", "total_parameters")
    assert (cell.value, cell.paper, cell.verdict) == (1257991, 1259911, "differs")


def test_table_ii_shows_the_widths(project: Project) -> None:
    assert project.cell("table_ii", "resemotenet_b", "rb").value == "64, 128, 256"
    assert project.cell("table_ii", "resemotenet_b", "se").value == "64"


def test_table_iii_counts_the_prepared_images(project: Project) -> None:
    """Training 11 to 17, validation 21 to 27, test 31 to 37; RAF-DB's training holds its validation."""
    found = {c: project.cell("table_iii", "surprise", c).value for c in ("fer_train", "fer_public", "fer_private")}
    assert found == {"fer_train": 12, "fer_public": 22, "fer_private": 32}
    assert project.cell("table_iii", "surprise", "raf_train").value == 12 + 22
    assert project.cell("table_iii", "total", "fer_train").value == 11 + 12 + 13 + 14 + 15 + 16 + 17
    assert project.cell("table_iii", "total", "raf_test").value == 7 * 34


def test_table_iii_of_drawn_faces_is_not_judged(project: Project) -> None:
    verdicts = {cell.verdict for row in project.build("table_iii").rows for cell in row.cells.values()}
    assert verdicts == {"not comparable"}


@pytest.fixture
def public_counts(project: Project) -> Project:
    """The manifests hold the public counts of the real data; a tenth of RAF-DB's training is held out."""
    study: dict[str, Any] = yaml.safe_load(paths.printed(MINI).read_text())
    true = {
        name.lower().replace("angry", "anger"): row for name, row in study["tables"]["table_III"]["rows_true"].items()
    }
    true.pop("total")
    split = {"train": "fer_train", "validation": "fer_public", "test": "fer_private"}
    fer = {name: {label: row[column] for label, row in true.items()} for name, column in split.items()}
    raf = {
        "train": {label: row["raf_train"] - row["raf_train"] // 10 for label, row in true.items()},
        "validation": {label: row["raf_train"] // 10 for label, row in true.items()},
        "test": {label: row["raf_test"] for label, row in true.items()},
    }
    project.real()
    for dataset, counts in (("fer2013", fer), ("raf_db", raf)):
        files.write_json(paths.prepared(dataset) / "manifest.json", {"counts": counts})
    return project


@pytest.mark.parametrize(
    ("row", "column", "ours", "printed", "verdict", "reason"),
    [
        ("happy", "fer_train", 7215, 7215, "reproduced", None),
        ("happy", "fer_public", 895, 653, "paper inconsistent", "the printed number is that of sad"),
        ("disgust", "fer_private", 55, 416, "paper inconsistent", "the printed number is that of surprise"),
        ("surprise", "raf_train", 1290, 1982, "paper inconsistent", "the printed number is that of sad"),
        ("fear", "raf_test", 74, 74, "reproduced", None),
        ("total", "raf_train", 12271, 12271, "reproduced", None),
    ],
)
def test_table_iii_of_photographs_finds_the_permuted_rows(
    public_counts: Project, row: str, column: str, ours: int, printed: int, verdict: str, reason: str | None
) -> None:
    cell = public_counts.cell("table_iii", row, column)
    assert (cell.value, cell.paper, cell.verdict, cell.reason) == (ours, printed, verdict, reason)


def test_table_iii_of_photographs_finds_missing_images(public_counts: Project) -> None:
    path = paths.prepared("fer2013") / "manifest.json"
    found = files.read_json(path)
    found["counts"]["train"]["happy"] = 7000
    files.write_json(path, found)
    cell = public_counts.cell("table_iii", "happy", "fer_train")
    assert (cell.verdict, cell.reason) == ("differs", "counted 7,000, printed 7,215")


def recount(dataset: str, rename: dict[str, str | None]) -> None:
    """The data set's classes under other names; None takes one out."""
    path = paths.prepared(dataset) / "manifest.json"
    found = files.read_json(path)
    for split, counts in found["counts"].items():
        named = {rename.get(name, name): images for name, images in counts.items()}
        found["counts"][split] = {name: images for name, images in named.items() if name is not None}
    files.write_json(path, found)


def test_table_iii_finds_classes_by_their_synonyms(project: Project) -> None:
    before = project.build("table_iii").rows
    recount("fer2013", {"anger": "Angry", "happy": "happiness", "sad": "SADNESS"})
    assert project.build("table_iii").rows == before


def test_table_iii_without_a_class_has_a_dash(project: Project) -> None:
    """Training 11 to 17, disgust the fifth class."""
    recount("fer2013", {"disgust": None})
    cell = project.cell("table_iii", "disgust", "fer_train")
    assert (cell.value, cell.paper, cell.reason) == (None, 436, "fer2013 has no class of this name")
    assert project.cell("table_iii", "total", "fer_train").value == 11 + 12 + 13 + 14 + 16 + 17
    assert project.cell("table_iii", "disgust", "raf_test").value is not None


def test_table_iii_of_numbered_folders_has_their_rows(project: Project) -> None:
    """Numbers mean nothing by themselves: FER2013's begin at 0 anger, RAF-DB's at 1 surprise."""
    names = ("happy", "surprise", "sad", "anger", "disgust", "fear", "neutral")
    recount("raf_db", {name: str(number) for number, name in enumerate(names, start=1)})
    rows = {row.label: row.cells for row in project.build("table_iii").rows}
    assert list(rows) == [
        "Happy",
        "Surprise",
        "Sad",
        "Angry",
        "Disgust",
        "Fear",
        "Neutral",
        *"1234567",
        "Total per set",
    ]
    assert rows["Happy"]["raf_test"].value is None and rows["Happy"]["raf_test"].paper == 1185
    assert [rows[number]["raf_test"].value for number in "1234567"] == [31, 32, 33, 34, 35, 36, 37]
    assert rows["1"]["fer_train"].value is None and rows["Total per set"]["raf_test"].value == 7 * 34
    project.tabulate("table_iii")
    lines = (paths.TABLES / "table_iii.md").read_text().splitlines()
    happy = next(line for line in lines if line.startswith("| Happy"))
    assert [part.strip() for part in happy.split("|")][-3:] == ["–", "1,185", ""]


def test_table_iii_names_the_permutation(project: Project) -> None:
    notes = {note.split(":")[0]: note for note in project.build("table_iii").notes}
    swaps = (
        "printed Happy is true Sad, printed Surprise is true Disgust, printed Sad is true Happy, "
        "printed Disgust is true Surprise, printed Fear is true Neutral, printed Neutral is true Fear."
    )
    cycle = "printed Surprise is true Sad, printed Sad is true Neutral, printed Neutral is true Surprise."
    assert notes["FER2013 public test"].endswith(swaps)
    assert notes["FER2013 private test"].endswith(swaps)
    assert notes["RAF-DB training"].endswith(cycle)
    assert notes["RAF-DB test"].endswith(cycle)
    assert "FER2013 training" not in notes


def test_table_v_shows_times_and_memory_without_judging_them(project: Project) -> None:
    """The fabricated times of student A: 2.0069383 ms an image in batches of 64, thrice that alone, p95 4.0138766."""
    project.real()
    unit = 2.0069383
    for row, value, paper in (
        ("avg_inference_ms", unit, 0.14),
        ("latency_ms", 3 * unit, None),
        ("latency_p95_ms", 2 * unit, None),
        ("memory_mb", 10 * unit, 5088.46),
    ):
        cell = project.cell("table_v", f"fer2013_{row}", "E1")
        assert (cell.kind, cell.paper) == ("timed", paper)
        assert cell.value == round(value, 4)
        assert cell.verdict == ("not comparable" if paper else None)
        assert cell.stage == ["measure_costs-fer2013-resemotenet_a"]


def test_table_v_states_the_protocol(project: Project) -> None:
    assert "Protocol of time and memory: eval mode, one by one." in project.build("table_v").notes


def test_table_v_takes_other_batch_sizes(project: Project) -> None:
    """Without a batch of 1 its rows show the smallest, per image: 3 and 6 ms for a batch of 2."""
    project.raw["costs"]["batch_sizes"] = [2, 8]
    for path in paths.costs("x", "y").parent.iterdir():
        found = files.read_json(path)
        small = {"median_ms_per_batch": 6.0, "p95_ms_per_batch": 12.0, "median_ms_per_image": 3.0}
        found["latency"] = {"2": small, "8": {**small, "median_ms_per_image": 1.0}}
        files.write_json(path, found)
    values = [
        project.cell("table_v", f"raf_db_{row}", "E4").value
        for row in ("avg_inference_ms", "latency_ms", "latency_p95_ms")
    ]
    assert values == [1.0, 3.0, 6.0]
    labels = [row.label for row in project.build("table_v").rows if row.id.startswith("raf_db_latency")]
    assert all("batch 2," in label for label in labels)


def test_table_vi_sets_prior_work_beside_ours(project: Project) -> None:
    project.evaluate("raf_db-scratch_b", 10)
    cited = project.cell("table_vi", "emonext", "fer2013_accuracy")
    assert (cited.kind, cited.value) == ("reported", 76.12)
    assert project.cell("table_vi", "emonext", "raf_db_accuracy").value is None
    alone = project.cell("table_vi", "scratch_b", "raf_db_accuracy")
    assert (alone.value, alone.paper, alone.verdict) == (25.0, None, None)
    assert project.cell("table_vi", "scratch_b", "parameters").verdict is None


def test_table_vi_notes_what_is_printed_twice(project: Project) -> None:
    notes = project.build("table_vi").notes
    assert "Student Model A(E1) on FER2013: this table prints 76.33, the paper elsewhere 76.42." in notes
    assert "C MT PSR and C MT VGGFACE: average accuracy, as the paper notes." in notes


def test_table_vi_notes_the_epochs_of_each_network(project: Project) -> None:
    recipes = project.study()["recipes"]
    recipes["teacher"]["epochs"], recipes["student_a"]["epochs"], recipes["student_bc"]["epochs"] = 12, 5, 10
    epochs = "Epochs, at most: ResEmoteNet 12, Student Model A(E1) 5, Student Model B(E4) 10."
    assert epochs in project.build("table_vi").notes
    recipes["teacher"]["epochs"] = 13
    assert epochs.replace("12", "13") in project.build("table_vi").notes


def test_table_vi_has_no_note_on_epochs_where_nothing_is_trained(project: Project) -> None:
    for name in ("fer2013", "raf_db"):
        project.raw["datasets"][name]["enabled"] = False
    assert not [note for note in project.build("table_vi").notes if note.startswith("Epochs")]


def test_table_vi_gives_no_epochs_for_weights_that_others_trained(project: Project) -> None:
    for dataset in ("fer2013", "raf_db"):
        project.line("teachers", dataset).update(weights="published.pth", classes="as_dataset")
    (note,) = (note for note in project.build("table_vi").notes if note.startswith("Epochs"))
    assert "ResEmoteNet" not in note

"""The audits' tables: counts as the audits say, accuracies against hand computation."""

import numpy as np
import pytest

from cellar import files, paths, tables
from cellar.data.audit.pairs import leaked_rows, read_pairs
from cellar.errors import CellarError
from cellar.tables import render
from tests.table_project import N, Project, write_audit

STRAY = """from cellar.studies import Study

COUNTS = {"pets": {"learnt": 1, "test": 2}}
STUDY = Study("stray", "Title", "name", datasets=("pets",), images="animals", printed_images=lambda: COUNTS)
"""


def test_counts_are_summed_over_splits_and_kinds(project: Project) -> None:
    row = {key: cell.value for key, cell in {r.id: r for r in project.build("audit").rows}["fer2013"].cells.items()}
    assert row == {
        "learnt": 34, "test": 40, "exact": 3, "near": 5, "mirrored": 1, "groups": 5, "conflicts": 2, "across": 4,
        "leaked": 2, "leaked_conflicts": 1, "empty": 2, "placeholders": 1,
    }  # fmt: skip
    assert project.cell("audit", "cifar100", "placeholders").value is None


def test_the_papers_counts_stand_beside_ours(project: Project) -> None:
    printed = {
        name: tuple(project.cell("audit", name, column).paper for column in ("learnt", "test"))
        for name in ("fer2013", "raf_db", "cifar100", "pins", "pets")
    }
    assert printed == {
        "fer2013": (28709 + 3589, 3589),
        "raf_db": (12271, 3068),
        "cifar100": (50000, 10000),
        "pins": (3360, 14174),
        "pets": (None, None),
    }
    assert project.cell("audit", "fer2013", "test").verdict == "not comparable"
    project.real()
    assert project.cell("audit", "fer2013", "test").verdict == "differs"


def test_a_study_that_params_yaml_lacks_changes_nothing(project: Project) -> None:
    before = render.markdown(project.build("audit"))
    files.write_text(paths.STUDIES / "stray/study.py", STRAY)
    assert project.cell("audit", "pets", "test").paper is None
    assert render.markdown(project.build("audit")) == before


def test_a_data_set_that_is_off_was_not_audited(without_raf_db: Project) -> None:
    cell = without_raf_db.cell("audit", "raf_db", "exact")
    assert cell.kind == "not_run" and cell.value is None
    assert not [row.id for row in without_raf_db.build("audit_accuracy").rows if "raf_db" in row.id]


def test_accuracy_without_the_leaked_is_of_the_other_images(project: Project) -> None:
    hits = np.arange(N) < 10  # rows 0 .. 9 are right; 0 and 3 are leaked, and 20
    project.evaluate("fer2013-E1", hits.tolist())
    write_audit("fer2013", [(100, "train", 0, "test"), (101, "validation", 3, "test"), (102, "train", 20, "test")])
    row = {r.id: r for r in project.build("audit_accuracy").rows}["fer2013-E1"].cells
    assert (row["images"].value, row["leaked"].value) == (40, 3)
    assert row["accuracy"].value == 25.0
    assert row["without"].value == round(8 / 37 * 100, 4) and row["without"].n == 37
    assert row["difference"].value == round(8 / 37 * 100 - 25, 4)
    assert row["on_leaked"].value == round(2 / 3 * 100, 4)


def test_means_are_over_seeds(project: Project) -> None:
    for seed, right in enumerate((10, 20, 30)):
        project.evaluate("pets-alone", right, seed=seed)
    row = {r.id: r for r in project.build("audit_accuracy").rows}["pets-alone"].cells
    assert row["accuracy"].value == 50.0 and row["accuracy"].n == 3
    assert row["without"].value == round(float(np.mean([8, 18, 28])) / 38 * 100, 4)


def test_where_nothing_leaks_there_is_no_difference(project: Project) -> None:
    write_audit("fer2013", [(100, "train", 101, "train"), (0, "test", 3, "test")])
    row = {r.id: r for r in project.build("audit_accuracy").rows}["fer2013-E1"].cells
    assert row["leaked"].value == 0 and row["difference"].value is None and row["on_leaked"].value is None
    assert row["without"].value == row["accuracy"].value


def test_a_test_image_linked_to_training_by_another_is_leaked() -> None:
    import pandas as pd

    pairs = pd.DataFrame(
        {
            "first": [1, 8, 20, 3], "first_split": ["train", "test", "test", "train"],
            "second": [8, 9, 21, 4], "second_split": ["test", "test", "test", "train"], "group": [1, 1, 20, 3],
        }
    )  # fmt: skip
    assert leaked_rows(pairs).tolist() == [8, 9]


def test_predictions_of_another_data_set_are_refused(project: Project) -> None:
    write_audit("fer2013", [(100, "train", 900, "test")])
    with pytest.raises(
        CellarError, match=r"predictions\.npz and .*pairs\.csv are not of one data set; build both again"
    ):
        project.build("audit_accuracy")


@pytest.mark.parametrize("text", ["", "first,second\n1,2\n", "first,second,group\na,b,c\n", "\x00\x01"])
def test_a_broken_file_of_pairs_is_one_line(project: Project, text: str) -> None:
    path = paths.audit_pairs("fer2013")
    path.unlink()
    path.write_text(text)
    with pytest.raises(CellarError, match=f"^{path} [^\n]+; remove it and build it again$"):
        read_pairs(path)
    with pytest.raises(CellarError):
        tables.build("audit_accuracy", project.config())

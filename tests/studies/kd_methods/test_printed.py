"""The printed tables: all numbers with their sources, and the pairs and methods that they are called by."""

import pytest

from cellar import studies
from cellar.tables.printed_values import Paper, paper
from tests.conftest import ROOT
from tests.studies.kd_methods.conftest import KEY

NOT_STUDENTS_WITH_A_TEACHER = ("Teacher", "Student")


@pytest.fixture(autouse=True)
def project(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


@pytest.fixture
def printed() -> Paper:
    return paper(KEY)


def test_all_1045_accuracies_of_22_tables_are_values(printed: Paper) -> None:
    places = [place for place in printed.values if place[-1] != "sd"]
    assert len({place[1] for place in places}) == 22
    assert len([place for place in places if place[3] not in NOT_STUDENTS_WITH_A_TEACHER]) == 1045
    assert {printed.values[place].unit for place in places} == {"%"}


@pytest.mark.parametrize(
    ("table", "row", "pair", "shown"),
    [  # as the READMEs have them
        ("repdistiller_same", "KD", "resnet32x4->resnet8x4", "73.33"),
        ("repdistiller_same", "CRD", "resnet32x4->resnet8x4", "75.51"),
        ("repdistiller_same", "Student", "resnet32x4->resnet8x4", "72.50"),
        ("mdistiller_dkd_same", "DKD", "resnet32x4->resnet8x4", "76.32"),
        ("kdpp", "DKD", "resnet32x4->resnet8x4", "75.44"),
        ("lskd_same", "KD+LSKD", "resnet32x4->resnet8x4", "76.62"),
        ("semckd_picture", "SemCKD", "resnet32x4->resnet8x4", "76.23"),
    ],
)
def test_values_keep_their_characters(printed: Paper, table: str, row: str, pair: str, shown: str) -> None:
    assert printed.shown(("tables", table, "rows", row, pair)) == shown


def test_every_table_names_its_source(printed: Paper) -> None:
    for table in printed.data["tables"].values():
        source = table["source"]
        assert table["metric"] and source.keys() in ({"repo", "commit", "date", "path"}, {"source"})
        assert len(source.get("commit", 40 * "0")) == 40


def test_labels_name_the_table_the_method_and_the_pair(printed: Paper) -> None:
    label = printed.label(("tables", "simkd", "rows", "SimKD (f=2)", "resnet32x4->ShuffleNetV2x1.5"))
    assert label == "SimKD: SimKD (f=2), ResNet32x4 → ShuffleNetV2x1.5"
    assert printed.label(("tables", "kdpp", "rows", "KD++", "resnet56->resnet20")) == "KD++: KD++, ResNet56 → ResNet20"


def test_the_value_beside_a_cell_is_of_the_same_epoch_and_protocol() -> None:
    beside = studies.function(studies.known()[KEY], "printed:beside")
    pair = "resnet32x4-resnet8x4"
    assert beside(pair, ("KD",), best_on_test=False)[1] == "repdistiller_same"
    assert beside(pair, ("KD",), best_on_test=True) is None
    assert beside(pair, ("DKD",), best_on_test=True)[1] == "mdistiller_dkd_same"
    assert beside(pair, ("DKD",), best_on_test=False) is None
    assert beside(pair, ("SemCKD",), best_on_test=False) is None  # with CE 1 and KL 1 beside each loss
    assert beside("resnet50-mobilenet_v2", ("CRD",), best_on_test=False)[-1] == "ResNet50->MobileNetV2"


def test_the_logs_show_what_a_choice_on_the_test_set_adds(printed: Paper) -> None:
    effects = [log["best_over_epochs"] - log["last_epoch"] for log in printed.data["logs"]]
    assert len(effects) == 54
    assert round(sum(effects) / 54, 2) == 0.31 and round(max(effects), 2) == 0.92

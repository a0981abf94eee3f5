"""Each check finds what is planted, and is silent once the values agree."""

import re

import pytest

from cellar import paths, studies
from cellar.tables.checks import Finding
from cellar.tables.printed_values import Paper
from tests.conftest import ROOT

MINI, SMALL, CIFAR = "mini_resemotenet", "small_dataset_kd", "cifar100_kd"
COUNTS = {"torchvision:resnet34(7)": {"parameters": 21288263}, "torchvision:vit_l_16(1000)": {"parameters": 1}}


@pytest.fixture(autouse=True)
def project(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


def paper(name: str, *changes: tuple[str, str]) -> Paper:
    """The shipped values with some replaced, each of which must be there."""
    text = (ROOT / paths.printed(name)).read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    return Paper(name, text, COUNTS)


def findings(name: str, printed: Paper) -> list[Finding]:
    return [finding for check in studies.known()[name].checks for finding in check(printed)]


def found(kind: str, name: str, *changes: tuple[str, str]) -> dict[str, Finding]:
    """The findings of one kind, by place."""
    return {one.place: one for one in findings(name, paper(name, *changes)) if one.kind == kind}


def mini(kind: str, *changes: tuple[str, str]) -> dict[str, Finding]:
    return found(kind, MINI, *changes)


def pins(kind: str, *changes: tuple[str, str]) -> dict[str, Finding]:
    return found(kind, SMALL, *changes)


def cifar(kind: str, *changes: tuple[str, str]) -> dict[str, Finding]:
    return found(kind, CIFAR, *changes)


class TestPrintedTwice:
    def test_each_place_is_named_with_its_value(self) -> None:
        one = mini("printed twice")["accuracy of E1 on FER2013"]
        assert one.printed == "Table IV: 76.42; Table V: 76.42; Table VI: 76.33; Text, on Table IV: 76.33"
        assert one.arithmetic == "76.42 - 76.33 = 0.09"

    def test_equal_values_are_no_finding(self) -> None:
        assert "accuracy of E1 on FER2013" not in mini("printed twice", ("76.33", "76.42"))
        assert "accuracy of teacher on FER2013" not in mini("printed twice")

    def test_a_slip_in_parameters_is_found(self) -> None:
        planted = mini("printed twice", ('"SegmentationVGG-19":     {fer2013_accuracy: 75.97, raf_db_accuracy: null,  parameters: 169220807}',
                                             '"SegmentationVGG-19":     {fer2013_accuracy: 75.97, raf_db_accuracy: null,  parameters: 169220870}'))  # fmt: skip
        assert planted["parameters of Segmentation VGG-19"].arithmetic == "169220870 - 169220807 = 63"


class TestClaims:
    def test_what_follows_and_where_the_texts_comes_from(self) -> None:
        one = mini("difference or percentage")
        by_printed = {finding.printed: finding for finding in one.values()}
        assert by_printed["10.55 points"].follows == "9.76 points"
        assert "follows from 94.76 - 84.21" in by_printed["10.55 points"].arithmetic
        assert by_printed["82.05 %"].follows == "82.04 %"
        assert "9.59 points" not in by_printed

    def test_a_planted_slip(self) -> None:
        planted = {
            one.printed: one for one in mini("difference or percentage", ("printed: 9.59", "printed: 9.69")).values()
        }
        assert (planted["9.69 points"].follows, planted["9.69 points"].arithmetic) == (
            "9.59 points",
            "79.79 - 70.20 = 9.59",
        )

    def test_points_said_in_percent(self) -> None:
        """2.67 / 53.72 = 4.97 %."""
        (one,) = cifar("difference or percentage").values()
        assert (one.printed, one.follows) == ("2.67 %", "2.67 points, or 4.97 %")
        assert cifar("difference or percentage", ('unit_printed: "%"', "unit_printed: points")) == {}


class TestCounts:
    def test_permuted_rows_say_whose_they_are(self) -> None:
        one = mini("counts")["Table III: RAF-DB test"]
        assert one.printed == "Surprise 478, Sad 680, Neutral 329"
        assert one.follows == "Surprise 329, Sad 478, Neutral 680"
        assert "Table III: FER2013 training" not in mini("counts")

    def test_a_sum_that_is_not_the_total(self) -> None:
        one = mini("counts", ("fer_private: 491", "fer_private: 492"))["Table III: FER2013 private test, total"]
        assert (one.printed, one.follows) == ("3,589", "3,590")

    def test_totals_that_are_not_their_parts(self) -> None:
        assert pins("counts") == cifar("counts") == {}
        assert pins("counts", ("identities: 105", "identities: 106"))["Data: training images"].follows == "3,392"
        assert cifar("counts", ("test: 10000", "test: 1000"))["Table 1: total"].arithmetic == "50,000 + 1,000"


class TestSizes:
    def test_two_conventions_of_one_network(self) -> None:
        """80,238,599 x 4 = 320,954,396: / 10^6 = 320.95, / 1,048,576 = 306.09."""
        one = mini("sizes")["size of ResEmoteNet"]
        assert one.printed == "Table I: 320.95 MB; Table V: 306.09 MB"
        assert "10^6 = 320.95" in one.arithmetic and "2^20 = 306.09" in one.arithmetic
        assert "size of ResEmoteNet" not in mini("sizes", ("306.09", "320.95"))

    def test_a_size_of_no_convention(self) -> None:
        assert mini("sizes", ("331.50", "331.60"))["Table I: size of QCS"].follows == "neither"

    def test_the_count_of_another_network_is_found_by_counting(self) -> None:
        """Only resnet34's count is the printed one here; the other's is 1."""
        places = mini("sizes")
        assert "Table I: parameters of Ensemble ResMaskingNet" in places
        assert "Table I: parameters of FMAE" not in places

    def test_millions(self) -> None:
        places = pins("sizes")
        assert "its size: 13.26 MB" in places["Networks: parameters of MobileNet, in the table of networks"].arithmetic
        assert "without its last layer" in places["Networks: parameters of ResNet-50, in the text"].arithmetic
        assert not [place for place in places if "ConvNet-9" in place or "Inception" in place]


class TestGranularity:
    def test_the_papers_counts_decide(self) -> None:
        """Of 10,000 images every two-digit accuracy is a count."""
        mended = mini(
            "granularity of k/N", ("fer_private: 3589", "fer_private: 10000"), ("raf_test: 3068", "raf_test: 10000")
        )
        assert mini("granularity of k/N") and mended == {}


class TestAverages:
    def test_the_sd_divides_by_n(self) -> None:
        """54.04, 53.56, 53.14, 53.32, 54.52: squared deviations add up to 1.242; sqrt(/ 4) = 0.557, sqrt(/ 5) = 0.498."""
        one = cifar("averages")["Table 2: Student (without KD), sd"]
        assert (one.printed, one.follows) == ("0.50", "0.56")
        assert cifar("averages", ("accuracy_sd: 0.50", "accuracy_sd: 0.56")).keys() == {
            "Table 2: Student (with KD), sd"
        }

    def test_a_mean_of_other_runs(self) -> None:
        planted = cifar("averages", ("accuracy_mean: 56.39", "accuracy_mean: 56.93"))
        assert planted["Table 2: Student (with KD), mean"].follows == "56.39"

    def test_recall_is_accuracy_on_a_balanced_set(self) -> None:
        assert pins("averages")["Table 6: ResNet-18, train"].printed == "REC 81.66, ACC 81.93"
        assert "Table 6: ResNet-18, train" not in pins("averages", ("rec: 81.66", "rec: 81.93"))

    def test_harmonic_means(self) -> None:
        """2 x 74.91 x 66.67 / 141.58 = 70.55."""
        assert "= 70.55" in pins("averages")["Table 2: InceptionV3, test"].arithmetic
        assert "Table 2: InceptionV3, test" not in pins("averages", ("f1: 70.49", "f1: 60.49"))


class TestLosses:
    def test_a_wrong_image_costs_ln_2(self) -> None:
        """E2: (1 - 0.7617) x 0.693147 = 0.1652 > 0.0755; E1's 0.7590 is possible."""
        places = mini("loss against accuracy")
        assert places["Table IV: FER2013, E2, loss"].follows == "if it is the mean cross-entropy, 0.1652 or more"
        assert "Table IV: FER2013, E1, loss" not in places
        assert "Table IV: FER2013, E2, loss" not in mini("loss against accuracy", ("loss: 0.0755", "loss: 0.1653"))
        assert "Table IV: FER2013, E2, loss" in mini("loss against accuracy", ("loss: 0.0755", "loss: 0.1651"))


class TestCosts:
    def test_one_network_on_two_data_sets(self) -> None:
        assert mini("costs")["Table V: memory of ResEmoteNet"].arithmetic == "10,102.94 / 838.19 = 12.1"

    def test_weights_that_memory_does_not_hold(self) -> None:
        one = mini("costs")["Table V: memory on RAF-DB"]
        assert one.follows == "229.53 MB apart, or more" and one.printed.endswith("10.23 MB apart")

    def test_a_smaller_network_that_is_slower(self) -> None:
        assert "Table V: time on FER2013" in mini("costs")
        assert "Table V: time on FER2013" not in mini("costs", ("E1A: 0.14", "E1A: 0.15"))


class TestText:
    def test_the_best_alpha_that_is_worst(self) -> None:
        assert mini("text against tables")["Table IV: Student Model B on FER2013"].follows == "0.20 is its worst of 3"

    def test_the_highest_f1(self) -> None:
        assert pins("text against tables")["Table 2: F1 on test"].follows == "InceptionV3 has the highest"
        assert "Table 2: F1 on test" not in pins("text against tables", ("f1: 52.38", "f1: 99.38"))

    def test_epochs_past_the_last(self) -> None:
        assert pins("text against tables")["Table 2: InceptionV3, epoch"].printed == "best epoch 272"
        assert "Table 2: InceptionV3, epoch" not in pins("text against tables", ("epoch: 272", "epoch: 200"))

    def test_transfer_and_the_train_curve(self) -> None:
        places = pins("text against tables")
        assert places["Table 3 and Table 2: MobileNet, test"].arithmetic == "36.57 - 68.15 = -31.58 points"
        assert "Table 1: ConvNet-9, ACC" in places
        assert "Table 1: ConvNet-9, ACC" not in pins("text against tables", ("acc: 83.10", "acc: 79.10"))


class TestCode:
    def test_what_the_code_does_otherwise(self) -> None:
        found_there = pins("text against code")
        assert found_there["Recipe: label KD, batch size"].follows == "16 in its authors' code"
        assert found_there["Recipe: augmentation, color jitter"].arithmetic == "its probability there is 0"
        assert "Recipe: classification, batch size" not in found_there
        assert cifar("text against code").keys() == {"Recipe: epochs", "Recipe: KL weight"}

    def test_what_agrees_is_silent(self) -> None:
        mended = cifar("text against code", ("epochs_actually_run: 50", "epochs_actually_run: 100"))
        assert mended.keys() == {"Recipe: KL weight"}


@pytest.mark.parametrize("name", [MINI, SMALL, CIFAR])
def test_findings_have_names_of_their_own_and_come_in_one_order(name: str) -> None:
    first, second = (findings(name, paper(name)) for _ in range(2))
    assert first == second
    named = [(one.kind, re.sub(r"\W+", "_", one.place)) for one in first]
    assert len(set(named)) == len(named)
    assert all(one.printed and one.follows and one.arithmetic for one in first)

"""The audit's picture: the worst pairs first, what they are, and what it says of a set without any."""

from pathlib import Path

import numpy as np
import pytest

from cellar import paths
from cellar.data.audit.pairs import read_pairs
from cellar.errors import CellarError
from cellar.figures.audit_pairs import audit_pairs, worst
from tests.figure_project import Load, texts, write_pairs

PAIRS = [
    "0,train,cat,1,train,dog,near,2,0.99,0",
    "2,train,cat,14,test,cat,exact,0,1.0,2",
    "3,train,cat,15,test,dog,near,4,0.96,3",
    "4,train,cat,16,test,dog,near,1,0.98,4",
    "5,train,cat,17,validation,dog,exact,0,1.0,5",
    "6,train,cat,18,test,cat,mirrored,9,0.951,4",
]


def test_the_worst_are_leaks_of_another_class_and_a_group_is_shown_once(load: Load) -> None:
    load()
    write_pairs("fer2013", PAIRS)
    assert worst(read_pairs(paths.audit_pairs("fer2013")))["first"].tolist() == [4, 3, 2, 5, 0]


def test_each_pair_is_drawn_with_its_split_class_and_distance(load: Load) -> None:
    config = load()
    write_pairs("fer2013", PAIRS)
    figure = audit_pairs(config, "fer2013")
    said = texts(figure)
    assert "Audit of fer2013: 6 pairs of duplicates (synthetic images, scale sample)" in said
    assert "mirrored, 9 bits, 0.951" in said and "test\ndog" in said and "exact" in said
    first = figure.subfigs[0].axes[0].images
    assert [int(np.asarray(image.get_array()).flat[0]) for image in first] == [20 + 4, 20 + 16]  # image i is one shade


def test_a_clean_set_says_so(load: Load) -> None:
    config = load()
    write_pairs("fer2013", [])
    assert "Audit of fer2013: no duplicates" in texts(audit_pairs(config, "fer2013"))


def test_pairs_of_another_data_set_are_refused(load: Load) -> None:
    config = load()
    write_pairs("fer2013", ["0,train,a,5000,test,b,near,3,0.97,0"])
    with pytest.raises(
        CellarError, match=f"^{Path(paths.audit_pairs('fer2013'))} names images that fer2013 does not have"
    ):
        audit_pairs(config, "fer2013")

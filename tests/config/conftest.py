"""A folder of two small studies to compose, with values that can be checked by hand."""

from pathlib import Path

import pytest

BASE = """\
# The recipe of paper one.

scale:
  name: paper
  synthetic: false
  note: as published

threads: 1          # of every stage
precision: fp32
seeds: [0]

# Where images come from.
datasets:
  faces:
    enabled: true
    layout: fer2013
    path: data/raw/faces
    input_size: 48
    augmentation: flip
    normalisation: imagenet
    source:
      kaggle: someone/faces

recipes:
  long: &long
    epochs: 80        # as in sec. III
    batch_size: 16
    learning_rate: 0.0010
    momentum: 0.9
    weight_decay: 0
    schedule:
      plateau:
        factor: 0.1
        patience: 5
    class_weighting: none
    select_on: last_epoch
  longer:
    <<: *long
    epochs: 90

teachers:
  big:
    dataset: faces
    model: resemotenet
    recipe: long

# Rows of the paper's table.
experiments:
  alone:
    dataset: faces
    row: alone
    model: resemotenet_a
    recipe: long
  # The paper's best.
  taught:
    dataset: faces
    row: taught
    model: resemotenet_a
    recipe: longer
    teacher: big
    method:
      name: logit_kd
      temperature: 3
      task_weight: 0.20

teacher_cache:
  batch_size: 128
  storage: fp32
  budget_mb: 64
evaluation:
  batch_size: 128
costs:
  batch_sizes: [1]
  warmup: 1
  repeats: 2
"""
QUICK = """\
# Paper one, quickly.

scale:
  name: quick
  note: quickly
recipes:
  long:
    epochs: 2
experiments:
  taught:
    method:
      temperature: 4
"""
OTHER = """\
# Paper two.

scale:
  name: quick
  synthetic: false
  note: quickly
recipes:
  long:
    epochs: 5
    batch_size: 8
    learning_rate: 0.1
    momentum: 0
    weight_decay: 0
    schedule:
      step:
        every: 2
        factor: 0.5
    class_weighting: none
    select_on: last_epoch
experiments:
  alone:
    dataset: faces
    row: alone
    model: cnn4
    recipe: long
"""


def write_study(name: str, **files: str) -> None:
    """Files studies/<name>/params/<file>.yaml of the current folder."""
    folder = Path("studies") / name / "params"
    folder.mkdir(parents=True, exist_ok=True)
    for file, text in files.items():
        (folder / f"{file}.yaml").write_text(text)


@pytest.fixture
def studies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with study `one` (base, quick) and study `two` (quick)."""
    monkeypatch.chdir(tmp_path)
    write_study("one", base=BASE, quick=QUICK)
    write_study("two", quick=OTHER)
    return tmp_path

"""A report on CIFAR-100: a small student of ResNet32x4, without and with knowledge distillation."""

from cellar.studies import Study, TableSpec

from .checks import CHECKS, CLAIMS
from .figures import FIGURES
from .printed import DATASET, KEY, images
from .sweeps import TEXT
from .tables import table_1, table_2
from .trainings import printed_training

CODE = ("printed.py", "trainings.py", "tables")

STUDY = Study(
    key=KEY,
    title="DATASCI223 Final Project - Faezeh Mirlohi",
    name="Distillation on CIFAR-100",
    tables=(
        TableSpec("cifar100_table_1", table_1.build, table_1.inputs, table_1.shown_params, code=CODE),
        TableSpec("cifar100_table_2", table_2.build, table_2.inputs, table_2.shown_params, table_2.judged, code=CODE),
    ),
    figures=FIGURES,
    checks=CHECKS,
    claims=CLAIMS,
    networks={"resnet32x4": 100, "resnet8x4": 100, "cnn4": 100},
    printed_networks={"teacher": "resnet32x4", "student": "cnn4"},
    datasets=(DATASET,),
    images="objects",
    printed_images=images,
    trainings=printed_training,
    sweeps=TEXT,
    short_ids=True,
    order=3,
)

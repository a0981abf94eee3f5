"""30 methods of distillation by one recipe, for the usual pairs of networks on CIFAR-100, beside what 22 public tables print."""

from cellar.studies import Comparison, Study

from .checks import CHECKS
from .figures import FIGURES
from .printed import DATASET, KEY
from .tables import comparison, costs, printed_table
from .trainings import printed_training

STUDY = Study(
    key=KEY,
    title="Methods of distillation on CIFAR-100, as 22 public tables print them",
    name="Methods of distillation",
    more_tables=lambda params: (*comparison.specs(params), *costs.specs(params), *printed_table.specs(params)),
    figures=FIGURES,
    checks=CHECKS,
    datasets=(DATASET,),
    images="objects",
    trainings=printed_training,
    curves=False,  # of hundreds of trainings
    comparison=Comparison("Methods by pairs", "method", ("gain", "over_kd", "validation", "last_epoch")),
    order=4,
)

"""The table of costs: of every experiment of a pair, by stages that read no trained teacher."""

import pytest

from cellar import files, paths, tables
from cellar.pipeline import plan
from tests.studies.kd_methods.conftest import KEY, Fabricate

TABLE = f"{KEY}/resnet20-resnet8-costs"
ALONE = "resnet20-resnet8-alone"
MEASURED = {
    "seconds_per_epoch": 2.5, "images_per_second": 576.0, "teacher": "live", "teacher_images": 4320, "peak_memory_mb": 300.25,
    "device_name": "a processor", "threads": 1, "precision": "fp32", "protocol": "10 steps",
}  # fmt: skip


def test_each_experiment_is_timed_alone_on_its_data(project: Fabricate) -> None:
    stages = [stage for stage in plan.stages(project("sample").config()) if stage.kind.name == "time_method"]
    assert len(stages) == 31 and all(stage.kind.alone for stage in stages)
    for stage in stages:
        assert stage.job.reads == tuple(f"data/prepared/cifar100/{name}" for name in ("arrays.npz", "manifest.json"))


def test_rows_are_methods_beside_the_student_alone(project: Fabricate) -> None:
    made = project("sample")
    for key in made.params(KEY).experiments:
        alone = {"seconds_per_epoch": 1.0, "teacher": "none", "teacher_images": 0} if key == ALONE else {}
        files.write_json(paths.training_costs(f"{KEY}/{key}"), MEASURED | alone)
    rows = {row.id: row.cells for row in made.build(TABLE).rows}
    assert list(rows)[:3] == ["alone", "kd", "kd_lskd"] and len(rows) == 31
    assert (rows["sp"]["seconds"].value, rows["sp"]["ratio"].value, rows["alone"]["ratio"].value) == (2.5, 2.5, 1.0)
    assert (rows["sp"]["teacher"].value, rows["sp"]["teacher_images"].value) == ("beside the student", 4320)
    assert rows["sp"]["memory"].value == pytest.approx(300.25)
    assert rows["sp"]["seconds"].stage == [f"studies/{KEY}/dvc.yaml:time_method-resnet20-resnet8-sp"]


def test_a_pair_without_a_student_alone_is_compared_with_that_of_another_pair(project: Fabricate) -> None:
    made = project("paper", "resnet56-resnet20", "resnet110-resnet20")
    lines = made.params(KEY).experiments
    for key in [key for key in lines if key.startswith("resnet110") or key.endswith("alone")]:
        seconds = 2.0 if key.endswith("alone") else 5.0
        files.write_json(paths.training_costs(f"{KEY}/{key}"), MEASURED | {"seconds_per_epoch": seconds})
    rows = {row.id: row.cells for row in made.build(f"{KEY}/resnet110-resnet20-costs").rows}
    assert "alone" not in rows and rows["kd"]["ratio"].value == 2.5
    spec = next(one for one in tables.catalogue(made.config()) if one == f"{KEY}/resnet110-resnet20-costs")
    read = tables.catalogue(made.config())[spec].inputs()
    assert str(paths.training_costs(f"{KEY}/resnet56-resnet20-alone")) in read


def test_without_any_student_alone_the_reason_says_so(project: Fabricate) -> None:
    made = project("sample")
    del made.raw["studies"][KEY]["experiments"][ALONE]
    for key in made.params(KEY).experiments:
        files.write_json(paths.training_costs(f"{KEY}/{key}"), MEASURED)
    ratio = made.build(TABLE).rows[0].cells["ratio"]
    assert ratio.kind == "not_run" and ratio.reason == "params.yaml has no student alone of this network and recipe"

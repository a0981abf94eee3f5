"""params.yaml -> the stages that it asks for, kind by kind. dvc.yaml and Snakemake's rules are both written from here."""

from cellar.config import Config
from cellar.errors import CellarError
from cellar.pipeline import runs
from cellar.pipeline.stage import Stage, StageKind
from cellar.pipeline.stages import (
    audit,
    count_models,
    distill_student,
    evaluate_export,
    evaluate_student,
    evaluate_teacher,
    export_student,
    extract_features,
    extract_parts,
    generate_faces,
    import_teacher,
    index,
    make_synthetic,
    measure_costs,
    plot,
    prepare,
    resolve,
    tabulate,
    time_export,
    time_method,
    train_generator,
    train_student,
    train_teacher,
)

MODULES = (
    resolve, make_synthetic, prepare, audit, train_teacher, import_teacher, evaluate_teacher, train_generator, generate_faces,
    extract_features, extract_parts, train_student, distill_student, evaluate_student, export_student, evaluate_export, time_export,
    count_models, measure_costs, time_method, tabulate, plot, index,
)  # fmt: skip
KINDS: dict[str, StageKind] = {module.KIND.name: module.KIND for module in MODULES}


def stages(config: Config) -> list[Stage]:
    """Every stage, those of the sweeps among them. Raises CellarError for two of one name, and for what only code
    tells: a network, a method that is not known."""
    runs.check_published(config)
    planned = [Stage(kind, job) for kind in KINDS.values() for job in kind.jobs(config)]
    known: dict[str, Stage] = {}
    for stage in planned:
        other = known.setdefault(stage.address, stage)
        if other is not stage:
            names = f"{other.job.name} and {stage.job.name}"
            raise CellarError(f"params.yaml: {names} would both be the stage {stage.address}; rename one of them")
    return planned

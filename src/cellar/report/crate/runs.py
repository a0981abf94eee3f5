"""The run in the crate: the workflow with its tools and steps, and an action for every stage of dvc.lock."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cellar import paths
from cellar.engine.run_record import git
from cellar.provenance import records
from cellar.provenance.lineage import Lineage, Stage
from cellar.report.crate.entities import Entities, link

WORKFLOW = Path("Snakefile")
KEPT = (
    "LICENSE", "params.yaml", "params.schema.json", "studies/*/printed.yaml",
    "dvc.yaml", "dvc.lock", "results/dvc.yaml", "results/dvc.lock", "studies/**/dvc.yaml", "studies/**/dvc.lock",
    "workflow/**/*.py", "workflow/**/*.rst",
)  # fmt: skip
BIOSCHEMAS = "https://bioschemas.org/profiles/ComputationalWorkflow/1.0-RELEASE"
COMPLETED = "http://schema.org/CompletedActionStatus"
GIGABYTE = "E34"  # UN/CEFACT
COLLECTION = "Collection"
RAW, SHOWN = "raw data", "tables and figures"  # slots of the workflow

Record = Mapping[str, Any]


def describe(entities: Entities, graph: Lineage) -> None:
    """Fill the crate. Stages stand in the order of dvc.lock."""
    runs = {stage.target: read(stage) for stage in graph.stages}
    times = [time for record in runs.values() for time in (record.get("started"), record.get("finished")) if time]
    if times:
        entities.crate.datePublished = max(times)
    workflow = main_workflow(entities)
    steps = {stage.target: step(entities, workflow, stage, runs[stage.target]) for stage in graph.stages}
    run = workflow_run(entities, workflow, graph, times)
    controls = []
    for stage in graph.stages:
        action = stage_run(entities, stage, steps[stage.target], runs[stage.target])
        link(entities.crate.root_dataset, "mentions", action)
        control = entities.thing(f"#control/{stage.target}", "ControlAction", name=f"step of {stage.target}")
        control["instrument"], control["object"] = steps[stage.target], action
        controls.append(control)
    organised(entities, run, controls, times)
    entities.readme(about(entities))


def about(entities: Entities) -> str:
    name, note = entities.config.scale.name, entities.config.scale.note
    return (
        f"# A run of Cellar\n\nScale {name}: {note}.\n\nTables are in {paths.TABLES}, figures in {paths.FIGURES}; "
        "ro-crate-metadata.json says what made each, from what, when and with which software. Weights, arrays and raw "
        "data are not here: they are named by their md5, as in dvc.lock.\n"
    )


def read(stage: Stage) -> Record:
    """The record of the run; empty where it is not here."""
    return records.read(stage) or {}


def main_workflow(entities: Entities) -> Any:
    types = ["File", "SoftwareSourceCode", "ComputationalWorkflow", "HowTo"]
    facts = {
        "@type": types,
        "name": "Snakefile",
        "description": "Plans the stages of dvc.yaml; DVC runs each and remembers it.",
    }
    workflow = entities.crate.add_workflow(WORKFLOW, str(WORKFLOW), main=True, lang="snakemake", properties=facts)
    workflow["conformsTo"] = entities.thing(BIOSCHEMAS, "CreativeWork", name="ComputationalWorkflow profile")
    if head := git("rev-parse", "HEAD"):
        workflow["version"] = head
    for path in sorted({path for pattern in KEPT for path in Path().glob(pattern)}):
        entities.copied(path)
    if paths.REPORT.exists():
        entities.copied(paths.REPORT)
    return workflow


def step(entities: Entities, workflow: Any, stage: Stage, record: Record) -> Any:
    """The step of a kind of stage, and its tool, with a slot for every parameter that some stage of it takes."""
    kind = kind_of(stage)
    about = f"src/cellar/pipeline/stages/{kind}.py"
    tool = entities.thing(f"#tool/{kind}", "SoftwareApplication", name=f"cellar {kind}", description=about)
    for key, value in stage.params.items():
        slot = entities.value(key, value)["exampleOfWork"]
        link(tool, "input", slot)
        link(workflow, "input", slot)
    if record.get("commit"):
        tool["softwareVersion"] = record["commit"]
    for package, version in record.get("versions", {}).items():
        address, name = f"#software/{package}-{version}", {"name": package, "softwareVersion": version}
        link(tool, "softwareRequirements", entities.thing(address, "SoftwareApplication", **name))
    link(workflow, "hasPart", tool)
    made = entities.thing(f"#step/{kind}", "HowToStep", name=kind)
    made["workExample"] = tool
    if "position" not in made:
        made["position"] = str(len(workflow.get("step") or []))
    link(workflow, "step", made)
    return made


def kind_of(stage: Stage) -> str:
    """The command of cellar that a stage runs: python -m cellar KIND ..."""
    words = stage.command.split()
    return words[3] if words[:3] == ["python", "-m", "cellar"] and len(words) > 3 else stage.name.partition("-")[0]


def workflow_run(entities: Entities, workflow: Any, graph: Lineage, times: list[str]) -> Any:
    """The run as a whole: from raw data to tables and figures."""
    raw = [file for stage in graph.stages for file in stage.data if file.path.startswith("data/raw/")]
    shown = [file for stage in graph.stages for file in stage.makes if is_shown(file.path)]
    run = entities.thing("#run", "CreateAction", name=f"run of scale {entities.config.scale.name}")
    run["instrument"], run["actionStatus"] = workflow, COMPLETED
    run["description"] = entities.config.scale.note
    given = [
        ("input", "object", RAW, COLLECTION, [entities.file(file) for file in raw]),
        ("output", "result", SHOWN, "File", [entities.file(file) for file in shown]),
    ]
    for way, key, name, kind, held in given:
        for entity in dict.fromkeys(held):
            slot = entities.parameter(name, kind)
            link(workflow, way, slot)
            link(run, key, entities.fills(entity, slot))
            if kind == COLLECTION:
                link(entities.crate.root_dataset, "mentions", entity)
    timed(run, min(times, default=None), max(times, default=None))
    link(entities.crate.root_dataset, "mentions", run)
    return run


def is_shown(path: str) -> bool:
    return any(Path(path).is_relative_to(folder) for folder in (paths.TABLES, paths.FIGURES))


def stage_run(entities: Entities, stage: Stage, step: Any, record: Record) -> Any:
    """What ran, on which files and parameters, what came out, when, on what machine."""
    about = described(stage, record)
    action = entities.thing(f"#action/{stage.target}", "CreateAction", name=stage.target, description=about)
    action["instrument"], action["actionStatus"] = step["workExample"], COMPLETED
    for file in stage.data:
        link(action, "object", entities.file(file))
    for key, value in stage.params.items():
        link(action, "object", entities.value(key, value))
    for file in stage.makes:
        link(action, "result", entities.file(file))
    timed(action, record.get("started"), record.get("finished"))
    if record.get("peak_memory_gb"):
        used = {"name": "peak memory", "value": str(record["peak_memory_gb"]), "unitCode": GIGABYTE}
        memory = entities.thing(f"#memory/{stage.target}", "PropertyValue", **used, propertyID="#peak_memory_gb")
        action["resourceUsage"] = memory
    return action


def described(stage: Stage, record: Record) -> str:
    described = [stage.command]
    described += [
        f"{key} {record[key]}" for key in ("device", "device_name", "threads", "seed") if record.get(key) is not None
    ]
    if record.get("machine"):
        described.append(f"{record['machine']['cores']} cores, {record['machine']['system']}")
    if record.get("commit"):
        described.append(f"commit {record['commit']}{' and changes not committed' if record.get('dirty') else ''}")
    return "; ".join(described)


def timed(action: Any, start: str | None, end: str | None) -> None:
    if start and end:
        action["startTime"], action["endTime"] = start, end


def organised(entities: Entities, run: Any, controls: list[Any], times: list[str]) -> None:
    """Snakemake had the run and its steps in hand."""
    versions = [one for one in entities.crate.get_by_type("SoftwareApplication") if one["name"] == "snakemake"]
    engine = versions[-1] if versions else entities.thing("#engine", "SoftwareApplication", name="snakemake")
    action = entities.thing("#organised", "OrganizeAction", name="snakemake")
    action["instrument"], action["result"], action["object"] = engine, run, controls
    timed(action, min(times, default=None), max(times, default=None))

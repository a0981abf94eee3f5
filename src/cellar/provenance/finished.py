"""The part of a run that is finished: what `cellar use --finished` leaves of a composition, so that it can be archived.

A line of params.yaml is finished for a seed if its evaluation ran with the settings that the composition gives, and its
metrics are here. Lines without a finished seed are left out, but for those that a finished one is built on; a sweep is left
out unless all of its points are finished, an export unless its network is. Lines of a data set that is off stay as they are.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

from cellar.config import Config, Export, Params
from cellar.config.compose import Composition
from cellar.config.params import references_of
from cellar.config.study_file import Entry, Tree
from cellar.errors import CellarError
from cellar.pipeline import plan, resolved
from cellar.pipeline.stage import Stage
from cellar.provenance import lineage, verify
from cellar.provenance.lineage import Lineage
from cellar.provenance.lineage import Stage as Ran

EVALUATIONS = {"evaluate_teacher": "teachers", "evaluate_student": "students"}
Seeds = dict[str, list[int]]  # place below results/, such as students/<study>/<experiment> -> its finished seeds


def reduce(composition: Composition, config: Config) -> None:
    """Take out of a composition what is not finished. Raises CellarError if nothing is."""
    done, studies = finished(config), composition.root.value["studies"].value
    if not done:
        raise CellarError(f"no run of these lines is finished here{reason(config)}")
    for study, params in config.studies.items():
        reduce_study(studies[study].value, params, done)


def reduce_study(sections: Tree, params: Params, done: Seeds) -> None:
    kept = set(with_references(params, [line for line in lines_of(params) if place_of(params, *line) in done]))
    needed = {used for line in kept for used in references(params, *line)}
    for section, key in lines_of(params):
        entries, line = sections[section].value, getattr(params, section)[key]
        if not params.is_on(line):
            continue
        if (section, key) not in kept:
            del entries[key]
            continue
        planned, seeds = params.seeds_of(line), done.get(place_of(params, section, key), [])
        if (section, key) in needed:  # by their first seed
            seeds = [seed for seed in planned if seed in seeds or seed == planned[0]]
        if seeds and seeds != planned:
            entries[key].value["seeds"] = Entry(seeds, entries[key].source, str(seeds))
    for sweep, line in params.sweeps.items():
        if not params.is_on(line):
            continue
        places = [place_of(params, "experiments", point) for point in line.experiments(sweep)]
        if any(done.get(place) != params.seeds_of(line) for place in places):
            del sections["sweeps"].value[sweep]
    for name, export in params.exports.items():
        if params.is_on(params.exported(export)) and not is_exportable(params, export, done):
            del sections["exports"].value[name]


def is_exportable(params: Params, export: Export, done: Seeds) -> bool:
    """Whether the network that an export names is finished, with the seed that it means."""
    return params.export_seed(export) in done.get(place_of(params, *export.source), [])


def lines_of(params: Params) -> list[tuple[str, str]]:
    """(section, key) of teachers and experiments."""
    return [(section, key) for section in ("teachers", "experiments") for key in getattr(params, section)]


def place_of(params: Params, section: str, key: str) -> str:
    return f"teachers/{key}" if section == "teachers" else f"students/{params.study}/{key}"


def with_references(params: Params, lines: list[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Lines, and the teachers and experiments that they are built on, directly or through others."""
    for section, key in lines:
        yield section, key
        yield from with_references(params, references(params, section, key))


def references(params: Params, section: str, key: str) -> list[tuple[str, str]]:
    """The teachers and experiments that a line itself is built on."""
    used = references_of(getattr(params, section)[key])
    return [(other, name) for _, other, name in used if other in ("teachers", "experiments")]


def finished(config: Config) -> Seeds:
    """Of teachers and students, each in the order of its seeds."""
    planned = {stage.address: stage for stage in plan.stages(config)}
    graph, done = lineage.load(), Seeds()
    for stage in planned.values():
        if stage.kind.name in EVALUATIONS and is_finished(stage, graph, planned):
            place, _, seed = stage.job.item.rpartition("/seed-")
            done.setdefault(f"{EVALUATIONS[stage.kind.name]}/{place}", []).append(int(seed))
    return done


def is_finished(stage: Stage, graph: Lineage, planned: Mapping[str, Stage]) -> bool:
    """Whether an evaluation and every stage behind it last ran with its settings of now, on what the one before wrote."""
    (metrics,) = stage.filled(stage.kind.metrics)
    chain = graph.chain([metrics])
    return bool(chain) and Path(metrics).is_file() and all(is_as_planned(ran, graph, planned) for ran in chain)


def reason(config: Config) -> str:
    """Why nothing is finished, and what to do: the first setting by which a run that is here differs, if there is one."""
    build, difference = "build one first: snakemake --cores 4", next(other_settings_behind(config), None)
    if difference is None:
        return f"; {build}"
    return f": {difference}; {build}, or put the value that the run here had in a file of studies/*/params"


def other_settings_behind(config: Config) -> Iterator[str]:
    """How evaluations that ran here, and the stages behind them, differ from what the composition gives."""
    planned, graph = {stage.address: stage for stage in plan.stages(config)}, lineage.load()
    evaluations = [stage for stage in planned.values() if stage.kind.name in EVALUATIONS]
    for ran in graph.chain([path for stage in evaluations for path in stage.filled(stage.kind.metrics)]):
        if ran.target in planned:
            yield from (f"{ran.target} {words}" for words in verify.other_settings(ran, planned[ran.target]))


def is_as_planned(ran: Ran, graph: Lineage, planned: Mapping[str, Stage]) -> bool:
    if ran.target not in planned or ran.params != resolved.settings_of(planned[ran.target]):
        return False
    made = [(file, graph.maker(file.path)) for file in ran.data]
    return all(maker is None or maker[1].md5 == file.md5 for file, maker in made)

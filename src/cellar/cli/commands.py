"""The commands for people, one function each: it imports what it needs and returns the exit code."""

from pathlib import Path

from cellar.errors import CellarError


def explain(table: str, row: str, column: str, json: bool) -> int:
    from cellar.provenance import explain as explaining

    print(explaining.report(table, row, column, as_json=json))
    return 0


def diff(table: str, row: str, column: str, old: str, new: str, json: bool) -> int:
    from cellar.provenance import diff as comparing

    print(comparing.report(table, row, column, old, new, as_json=json))
    return 0


def redo(table: str, row: str, column: str) -> int:
    from cellar.provenance import redo as redoing

    return redoing.report(table, row, column)


def verify(table: str | None, row: str | None, column: str | None, complete: bool) -> int:
    from cellar import paths
    from cellar.provenance import verify as verifying
    from cellar.provenance.archive import verify as verifying_archives

    if table and Path(table).parts[:1] == paths.RUNS.parts:
        if row is not None:
            raise CellarError(f"verify {table} takes no row: an archived run is verified as a whole")
        return verifying_archives.run(Path(table))
    if row is not None and column is None:
        raise CellarError(f"verify {table} {row}: a cell is a row and a column; add the column, or leave out the row")
    return verifying.report(table, complete, row, column)


def fsck(remote: str | None, remove: bool) -> int:
    from cellar.provenance import objects

    return objects.report(remote, remove)


def push(remote: str | None) -> int:
    from cellar.provenance import sharing

    return sharing.push(remote)


def pull(remote: str | None) -> int:
    from cellar.provenance import sharing

    return sharing.pull(remote)


def doctor(json: bool) -> int:
    from cellar import doctor as examining

    return examining.report(as_json=json)


def download(name: str) -> int:
    from cellar import config
    from cellar.data import download as downloads

    loaded = config.load()
    publishing = loaded.declaring("published")
    if name in publishing:
        downloads.download_weights(publishing[name].published[name])
    else:
        section = loaded.dataset(name)
        downloads.download(section.source, Path(section.path))
    return 0


def use(names: list[str], force: bool, finished: bool) -> int:
    from cellar.config import composed
    from cellar.pipeline import dvc, running
    from cellar.provenance.finished import reduce

    running.check_none()
    sources = composed.use(names, force, reduce=reduce if finished else None)
    print(f"params.yaml: composed from {', '.join(sources)}{', the finished lines alone' if finished else ''}")
    plan(check=False, sweeps=False)
    dvc.resolve()
    return 0


def findings() -> int:
    from cellar.report.findings import write

    print(write())
    return 0


def archive(name: str | None) -> int:
    from cellar.report import archive as archiving

    folder, incomplete = archiving.archive(name)
    left_out = f"; left out, since runs behind their cells are missing: {', '.join(incomplete)}" if incomplete else ""
    print(f"archived in {folder}{left_out}")
    return 0


def report() -> int:
    from cellar import report as reporting

    print(f"written: {reporting.write()}")
    return 0


def crate(folder: str | None) -> int:
    from cellar.report import crate as crates

    print(f"written: {crates.write(Path(folder)) if folder else crates.write()}")
    return 0


def plan(check: bool, sweeps: bool) -> int:
    from cellar import config
    from cellar.config import published
    from cellar.pipeline import dvc_yaml, running
    from cellar.pipeline import plan as planning

    if not check:
        running.check_none()
    loaded = config.load()
    stages = planning.stages(loaded)
    for key, what, do in (doubt for params in loaded.all_params() for doubt in published.doubts(params)):
        print(f"note: {key}: {what}; {do}")
    changed = dvc_yaml.outdated(stages, sweeps) if check else dvc_yaml.write(stages, sweeps)
    for path in changed:
        print(f"{path}: {'out of date; rewrite it with: cellar plan' if check else 'written'}")
    return int(check and bool(changed))


def schema(check: bool) -> int:
    from cellar import schema as schemas

    changed = schemas.outdated() if check else schemas.write()
    for path in changed:
        print(f"{path}: {'out of date; rewrite it with: cellar schema' if check else 'written'}")
    return int(check and bool(changed))


def predict(model: str, paths: list[str], output: str, annotate: str | None, threads: int) -> int:
    from cellar.deployment import packages

    packages.need(packages.PREDICT, "cellar predict")
    from cellar.deployment import prediction

    return prediction.run(model, paths, output, annotate, threads)


def timeline(
    video: str, model: str, events: str | None, output: str | None, smoothing: float, window: float, threads: int
) -> int:
    from cellar.deployment import packages

    packages.need(packages.PREDICT, "cellar timeline")
    from cellar.deployment.timeline import command

    return command.run(video, model, events, output, smoothing, window, threads)

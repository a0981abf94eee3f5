"""`cellar prepare DATASET`: raw files in a public layout -> arrays, labels, split and a manifest."""

from pathlib import Path

from cellar import config as parameters
from cellar import files, paths
from cellar.data import prepared
from cellar.data.audit.leaks import without_leaking
from cellar.data.readers import layouts
from cellar.engine import run_record


def run(dataset: str) -> None:
    section = parameters.load().dataset(dataset)
    folder = paths.prepared(dataset)
    outputs = [folder / "arrays.npz", folder / "manifest.json"]
    with run_record.record(folder / "run.json", [Path(section.path)], outputs, section.model_dump(mode="json")):
        image_set = layouts.load(section, dataset)
        if section.drop_leaked:
            image_set, dropped = without_leaking(image_set, dataset)
        prepared.save(image_set, folder, dataset=dataset, layout=section.layout)
        if section.drop_leaked:
            files.write_json(outputs[1], files.read_json(outputs[1]) | {"dropped_as_leaked": dropped})

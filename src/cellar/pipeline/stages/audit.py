"""`cellar audit DATASET`: duplicates within and across splits, label conflicts, images of nothing."""

from cellar import files, paths
from cellar.data import prepared
from cellar.data.audit import report
from cellar.engine import run_record


def run(dataset: str) -> None:
    data, folder = paths.prepared(dataset), paths.audit(dataset)
    inputs = [data / "arrays.npz", data / "manifest.json"]
    outputs = [paths.audit_pairs(dataset), paths.audit_metrics(dataset)]
    with run_record.record(folder / "run.json", inputs, outputs, {}):
        layout = files.read_json(inputs[1]).get("layout", "")
        pairs, summary = report.audit(prepared.load(data), layout)
        files.write_text(outputs[0], pairs.to_csv(index=False, lineterminator="\n"))
        files.write_json(outputs[1], {"dataset": dataset, **summary})

"""`cellar measure_costs DATASET MODEL`: latency and memory of an architecture at a data set's input size.

It depends on the architecture, not on weights, and is run alone, so that nothing else on the machine is timed.
"""

from cellar import config as parameters
from cellar import files, models, paths, studies
from cellar.engine import profiling, run_record, runtime


def run(dataset: str, model: str) -> None:
    params = parameters.load()
    device = runtime.prepare(params.threads)
    classes = studies.networks()[models.parse(model)[0]]
    size, protocol = params.dataset(dataset).input_size, params.costs
    shape = (3, size, size)
    made, asked = paths.costs(dataset, model), {"threads": params.threads, "costs": protocol.model_dump()}
    run = {"device": device.type, "device_name": runtime.device_name(device), "threads": params.threads}
    with run_record.record(paths.costs_record(dataset, model), [], [made], asked, **run):
        measured = profiling.measure(
            lambda: profiling.build(model, classes),
            shape,
            protocol.batch_sizes,
            protocol.warmup,
            protocol.repeats,
            device,
        )
        files.write_json(made, {"model": model, "dataset": dataset, **measured})

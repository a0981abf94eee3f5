"""`cellar measure_costs DATASET MODEL`: latency and memory of an architecture at a data set's input size.

It depends on the architecture, not on weights, and is run alone, so that nothing else on the machine is timed.
"""

from cellar import costs, devices, files, paths
from cellar import params as parameters


def run(dataset: str, model: str) -> None:
    params = parameters.load()
    device = devices.prepare(params.threads)
    size, protocol = params.dataset(dataset).input_size, params.costs
    shape = (3, size, size)
    measured = costs.measure(
        lambda: costs.build(model),
        shape,
        protocol.batch_sizes,
        protocol.warmup,
        protocol.repeats,
        device,
    )
    files.write_json(paths.costs(dataset, model), {"model": model, "dataset": dataset, **measured})

"""Where the plan's stages put what they make: templates of paths, and of the addresses of parameters."""

ARRAYS = "data/prepared/{dataset}/arrays.npz"
MANIFEST = "data/prepared/{dataset}/manifest.json"
WEIGHTS = "results/{kind}/{name}/seed-{seed}/weights.safetensors"
LAST = "results/{kind}/{name}/seed-{seed}/last.safetensors"
HISTORY = "results/{kind}/{name}/seed-{seed}/history.csv"
RECORD = "results/{kind}/{name}/seed-{seed}/run.json"
LOSSES = "results/{kind}/{name}/seed-{seed}/losses.npz"
CONNECTED = "src/cellar/models/connected.py"
TEACHER = "results/teachers/{teacher}/seed-{teacher_seed}/weights.safetensors"
PREDICTIONS = "results/predictions/{kind}/{name}/seed-{seed}/predictions.npz"
PREDICTIONS_RECORD = "results/predictions/{kind}/{name}/seed-{seed}/run.json"
FACES = "data/faces/{faces}"
FEATURES = ["results/features/{faces}-{teacher}/features.npy", "results/features/{faces}-{teacher}/held_out.npz"]
PARTS = "results/features/parts/{teacher}/activations.npz"
PARTS_RECORD = "results/features/parts/{teacher}/run.json"
COSTS_RECORD = "results/costs/{dataset}-{model}/run.json"
AUDIT = "results/audit/{dataset}/pairs.csv"
AUDIT_RECORD = "results/audit/{dataset}/run.json"
AUDIT_METRICS = "results/metrics/audit/{dataset}.json"
METRICS = "results/metrics/{kind}/{name}/seed-{seed}.json"

# input_size and normalisation are fields: a line's own address, or that of its data set
INPUT = ["{input_size}", "datasets.{dataset}.augmentation", "{normalisation}"]
TEACHER_INPUT = ["{teacher_input_size}", "{teacher_normalisation}"]
RECIPE = ["threads", "precision", "recipes.{recipe}", *INPUT]
LOSS = ["temperature", "task_weight", "distill_weight"]
START = ["{owner}.start", "{owner}.freeze", "{owner}.frozen_batch_norm"]

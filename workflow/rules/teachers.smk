rule train_teacher:
    input:
        inputs_of("train_teacher"),
    output:
        "results/teachers/{name}/seed-{seed}/weights.safetensors",
        "results/teachers/{name}/seed-{seed}/last.safetensors",
        "results/teachers/{name}/seed-{seed}/losses.npz",
        "results/teachers/{name}/seed-{seed}/run.json",
        "results/teachers/{name}/seed-{seed}/history.csv",
    wildcard_constraints:
        name=one_of("name", "train_teacher"),
    log:
        "logs/train_teacher/{name}-seed-{seed}.log",
    params:
        stage=stage_of("train_teacher"),
    threads: threads_of("train_teacher")
    resources:
        torch=threads_of("train_teacher"),
        gpu=gpus_of("train_teacher"),
    shell:
        "{OWN_GPU} {resources.gpu} {DVC} {params.stage} 2>&1 | tee {log}"


rule import_teacher:
    input:
        inputs_of("import_teacher"),
    output:
        "results/teachers/{name}/seed-{seed}/weights.safetensors",
        "results/teachers/{name}/seed-{seed}/last.safetensors",
        "results/teachers/{name}/seed-{seed}/losses.npz",
        "results/teachers/{name}/seed-{seed}/run.json",
        "results/teachers/{name}/seed-{seed}/history.csv",
    wildcard_constraints:
        name=one_of("name", "import_teacher"),
    log:
        "logs/import_teacher/{name}-seed-{seed}.log",
    params:
        stage=stage_of("import_teacher"),
    threads: THREADS
    resources:
        torch=THREADS,
    shell:
        "{DVC} {params.stage} 2>&1 | tee {log}"

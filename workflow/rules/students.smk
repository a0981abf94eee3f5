rule train_student:
    input:
        inputs_of("train_student"),
    output:
        "results/students/{name}/seed-{seed}/weights.safetensors",
        "results/students/{name}/seed-{seed}/last.safetensors",
        "results/students/{name}/seed-{seed}/losses.npz",
        "results/students/{name}/seed-{seed}/run.json",
        "results/students/{name}/seed-{seed}/history.csv",
    wildcard_constraints:
        name=one_of("name", "train_student"),
    log:
        "logs/train_student/{name}-seed-{seed}.log",
    params:
        stage=stage_of("train_student"),
    threads: threads_of("train_student")
    resources:
        torch=threads_of("train_student"),
        gpu=gpus_of("train_student"),
    shell:
        "{OWN_GPU} {resources.gpu} {DVC} {params.stage} 2>&1 | tee {log}"


rule distill_student:
    input:
        inputs_of("distill_student"),
    output:
        "results/students/{name}/seed-{seed}/weights.safetensors",
        "results/students/{name}/seed-{seed}/last.safetensors",
        "results/students/{name}/seed-{seed}/losses.npz",
        "results/students/{name}/seed-{seed}/run.json",
        "results/students/{name}/seed-{seed}/history.csv",
    wildcard_constraints:
        name=one_of("name", "distill_student"),
    log:
        "logs/distill_student/{name}-seed-{seed}.log",
    params:
        stage=stage_of("distill_student"),
    threads: threads_of("distill_student")
    resources:
        torch=threads_of("distill_student"),
        gpu=gpus_of("distill_student"),
    shell:
        "{OWN_GPU} {resources.gpu} {DVC} {params.stage} 2>&1 | tee {log}"

rule evaluate_teacher:
    input:
        inputs_of("evaluate_teacher"),
    output:
        "results/predictions/teachers/{name}/seed-{seed}/predictions.npz",
        "results/predictions/teachers/{name}/seed-{seed}/run.json",
        "results/metrics/teachers/{name}/seed-{seed}.json",
    wildcard_constraints:
        name=one_of("name", "evaluate_teacher"),
    log:
        "logs/evaluate_teacher/{name}-seed-{seed}.log",
    params:
        stage=stage_of("evaluate_teacher"),
    threads: THREADS
    resources:
        torch=THREADS,
        gpu=one_gpu,
    shell:
        "{OWN_GPU} {resources.gpu} {DVC} {params.stage} 2>&1 | tee {log}"


rule evaluate_student:
    input:
        inputs_of("evaluate_student"),
    output:
        "results/predictions/students/{name}/seed-{seed}/predictions.npz",
        "results/predictions/students/{name}/seed-{seed}/run.json",
        "results/metrics/students/{name}/seed-{seed}.json",
    wildcard_constraints:
        name=one_of("name", "evaluate_student"),
    log:
        "logs/evaluate_student/{name}-seed-{seed}.log",
    params:
        stage=stage_of("evaluate_student"),
    threads: THREADS
    resources:
        torch=THREADS,
        gpu=one_gpu,
    shell:
        "{OWN_GPU} {resources.gpu} {DVC} {params.stage} 2>&1 | tee {log}"


rule count_models:
    input:
        inputs_of("count_models"),
    output:
        "results/metrics/models.json",
    log:
        "logs/count_models.log",
    params:
        stage=stage_of("count_models"),
    shell:
        "{DVC} {params.stage} 2>&1 | tee {log}"


# Times are measured with nothing beside them: the job takes every core.
rule measure_costs:
    input:
        inputs_of("measure_costs"),
    output:
        "results/costs/{dataset}-{model}/run.json",
        "results/metrics/costs/{dataset}-{model}.json",
    wildcard_constraints:
        dataset=one_of("dataset", "measure_costs"),
        model=one_of("model", "measure_costs"),
    log:
        "logs/measure_costs/{dataset}-{model}.log",
    params:
        stage=stage_of("measure_costs"),
    threads: 1024  # as many as --cores has
    resources:
        torch=THREADS,
        gpu=one_gpu,
    shell:
        "{OWN_GPU} {resources.gpu} {DVC} {params.stage} 2>&1 | tee {log}"

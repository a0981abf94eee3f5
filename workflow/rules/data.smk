rule draw_faces:
    input:
        inputs_of("draw_faces"),
    output:
        directory("data/raw/sample/{dataset}"),
        "data/raw/sample/{dataset}.run.json",
    wildcard_constraints:
        dataset=one_of("dataset", "draw_faces"),
    log:
        "logs/draw_faces/{dataset}.log",
    params:
        stage=stage_of("draw_faces"),
    shell:
        "{DVC} {params.stage} 2>&1 | tee {log}"


rule draw_objects:
    input:
        inputs_of("draw_objects"),
    output:
        directory("data/raw/sample/{dataset}"),
        "data/raw/sample/{dataset}.run.json",
    wildcard_constraints:
        dataset=one_of("dataset", "draw_objects"),
    log:
        "logs/draw_objects/{dataset}.log",
    params:
        stage=stage_of("draw_objects"),
    shell:
        "{DVC} {params.stage} 2>&1 | tee {log}"


rule prepare:
    input:
        inputs_of("prepare"),
    output:
        "data/prepared/{dataset}/arrays.npz",
        "data/prepared/{dataset}/manifest.json",
        "data/prepared/{dataset}/run.json",
    wildcard_constraints:
        dataset=one_of("dataset", "prepare"),
    log:
        "logs/prepare/{dataset}.log",
    params:
        stage=stage_of("prepare"),
    shell:
        "{DVC} {params.stage} 2>&1 | tee {log}"


rule audit:
    input:
        inputs_of("audit"),
    output:
        "results/audit/{dataset}/pairs.csv",
        "results/audit/{dataset}/run.json",
        "results/metrics/audit/{dataset}.json",
    wildcard_constraints:
        dataset=one_of("dataset", "audit"),
    log:
        "logs/audit/{dataset}.log",
    params:
        stage=stage_of("audit"),
    shell:
        "{DVC} {params.stage} 2>&1 | tee {log}"

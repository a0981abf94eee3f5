# The small-dataset study's own ways: generated faces, a teacher's features of them, students that learn those,
# one-shot learning and meta-learning.
use rule draw_faces as draw_identities with:
    input:
        inputs_of("draw_identities"),
    wildcard_constraints:
        dataset=one_of("dataset", "draw_identities"),
    log:
        "logs/draw_identities/{dataset}.log",
    params:
        stage=stage_of("draw_identities"),


rule train_generator:
    input:
        inputs_of("train_generator"),
    output:
        "results/generators/{name}/seed-{seed}/weights.safetensors",
        "results/generators/{name}/seed-{seed}/last.safetensors",
        "results/generators/{name}/seed-{seed}/losses.npz",
        "results/generators/{name}/seed-{seed}/run.json",
        "results/generators/{name}/seed-{seed}/history.csv",
    wildcard_constraints:
        name=one_of("name", "train_generator"),
    log:
        "logs/train_generator/{name}-seed-{seed}.log",
    params:
        stage=stage_of("train_generator"),
    threads: THREADS
    resources:
        torch=THREADS,
        gpu=one_gpu,
    shell:
        "{OWN_GPU} {resources.gpu} {DVC} {params.stage} 2>&1 | tee {log}"


rule generate_faces:
    input:
        inputs_of("generate_faces"),
    output:
        directory("data/faces/{faces}"),
        "data/faces/{faces}.run.json",
    wildcard_constraints:
        faces=one_of("faces", "generate_faces"),
    log:
        "logs/generate_faces/{faces}.log",
    params:
        stage=stage_of("generate_faces"),
    threads: THREADS
    resources:
        torch=THREADS,
        gpu=one_gpu,
    shell:
        "{OWN_GPU} {resources.gpu} {DVC} {params.stage} 2>&1 | tee {log}"


rule extract_features:
    input:
        inputs_of("extract_features"),
    output:
        "results/features/{faces}-{teacher}/features.npy",
        "results/features/{faces}-{teacher}/held_out.npz",
        "results/features/{faces}-{teacher}/run.json",
    wildcard_constraints:
        faces=one_of("faces", "extract_features"),
        teacher=one_of("teacher", "extract_features"),
    log:
        "logs/extract_features/{faces}-{teacher}.log",
    params:
        stage=stage_of("extract_features"),
    threads: THREADS
    resources:
        torch=THREADS,
        gpu=one_gpu,
    shell:
        "{OWN_GPU} {resources.gpu} {DVC} {params.stage} 2>&1 | tee {log}"


rule extract_parts:
    input:
        inputs_of("extract_parts"),
    output:
        "results/features/parts/{teacher}/activations.npz",
        "results/features/parts/{teacher}/run.json",
    wildcard_constraints:
        teacher=one_of("teacher", "extract_parts"),
    log:
        "logs/extract_parts/{teacher}.log",
    params:
        stage=stage_of("extract_parts"),
    threads: THREADS
    resources:
        torch=THREADS,
        gpu=one_gpu,
    shell:
        "{OWN_GPU} {resources.gpu} {DVC} {params.stage} 2>&1 | tee {log}"


use rule train_student as pretrain_student with:
    input:
        inputs_of("pretrain_student"),
    wildcard_constraints:
        name=one_of("name", "pretrain_student"),
    log:
        "logs/pretrain_student/{name}-seed-{seed}.log",
    params:
        stage=stage_of("pretrain_student"),
    threads: threads_of("pretrain_student")
    resources:
        torch=threads_of("pretrain_student"),
        gpu=gpus_of("pretrain_student"),


use rule train_student as train_siamese with:
    input:
        inputs_of("train_siamese"),
    wildcard_constraints:
        name=one_of("name", "train_siamese"),
    log:
        "logs/train_siamese/{name}-seed-{seed}.log",
    params:
        stage=stage_of("train_siamese"),
    threads: threads_of("train_siamese")
    resources:
        torch=threads_of("train_siamese"),
        gpu=gpus_of("train_siamese"),


use rule train_student as meta_train with:
    input:
        inputs_of("meta_train"),
    wildcard_constraints:
        name=one_of("name", "meta_train"),
    log:
        "logs/meta_train/{name}-seed-{seed}.log",
    params:
        stage=stage_of("meta_train"),
    threads: threads_of("meta_train")
    resources:
        torch=threads_of("meta_train"),
        gpu=gpus_of("meta_train"),


use rule evaluate_student as evaluate_features with:
    input:
        inputs_of("evaluate_features"),
    wildcard_constraints:
        name=one_of("name", "evaluate_features"),
    log:
        "logs/evaluate_features/{name}-seed-{seed}.log",
    params:
        stage=stage_of("evaluate_features"),


use rule evaluate_student as evaluate_triplets with:
    input:
        inputs_of("evaluate_triplets"),
    wildcard_constraints:
        name=one_of("name", "evaluate_triplets"),
    log:
        "logs/evaluate_triplets/{name}-seed-{seed}.log",
    params:
        stage=stage_of("evaluate_triplets"),


use rule evaluate_student as evaluate_tasks with:
    input:
        inputs_of("evaluate_tasks"),
    wildcard_constraints:
        name=one_of("name", "evaluate_tasks"),
    log:
        "logs/evaluate_tasks/{name}-seed-{seed}.log",
    params:
        stage=stage_of("evaluate_tasks"),

rule tabulate:
    input:
        inputs_of("tabulate"),
    output:
        report(
            "results/tables/{table}.md",
            category="tables",
            labels={"table": "{table}"},
            caption="../captions/table.rst",
        ),
        "results/tables/{table}.json",
    wildcard_constraints:
        table=one_of("label", "tabulate"),
    log:
        "logs/tabulate/{table}.log",
    params:
        stage=stage_of("tabulate"),
    shell:
        "{DVC} {params.stage} 2>&1 | tee {log}"


rule plot:
    input:
        inputs_of("plot"),
    output:
        report(
            "results/figures/{figure}.png",
            category="figures",
            labels={"figure": "{figure}"},
            caption="../captions/figure.rst",
        ),
    wildcard_constraints:
        figure=one_of("label", "plot"),
    log:
        "logs/plot/{figure}.log",
    params:
        stage=stage_of("plot"),
    shell:
        "{DVC} {params.stage} 2>&1 | tee {log}"

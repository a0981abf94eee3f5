"""The page: its sections rendered by template.html, with style and script inlined."""

import json
from importlib.resources import files as resources

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from cellar import config as configuration
from cellar.report import costs, data, graph, head, making, studies
from cellar.report.chains import Chains


def page() -> str:
    """The whole page as HTML. Everything that is not ours is escaped by the template."""
    config = configuration.load()
    chains = Chains()
    shown = studies.shown(config, chains)
    records = chains.records()
    return environment().get_template("template.html").render(
        style=inlined("style.css"),
        script=inlined("panel.js", "sorting.js"),
        scale=config.scale,
        head=head.facts(config, records),
        studies=shown,
        tally=studies.tally(shown),
        costs=costs.by_family(chains.graph, records),
        data=data.sets(config),
        graph=Markup(graph.svg(config)),
        making=making.commands(config, chains.origin()),
        stages=chains.stages_shown(),
    )  # fmt: skip


def environment() -> Environment:
    made = Environment(
        loader=PackageLoader("cellar.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["as_json"] = lambda value: json.dumps(value, ensure_ascii=False)
    return made


def inlined(*names: str) -> Markup:
    return Markup("\n".join(resources("cellar.report").joinpath(name).read_text(encoding="utf-8") for name in names))

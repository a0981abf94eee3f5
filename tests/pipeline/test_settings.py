"""Settings come back from the file that `resolve` writes as they were, for every stage of the default parameters, and for
those of others: what is None is not in the file."""

import json
from collections.abc import Iterator
from types import NoneType
from typing import Any, get_args

import pytest

from cellar import config, files
from cellar.config.section import Section
from cellar.pipeline import plan, resolved
from cellar.pipeline.stage import Stage

STAGES = [stage for stage in plan.stages(config.load()) if stage.has_settings]


@pytest.mark.parametrize("stage", STAGES, ids=[stage.address for stage in STAGES])
def test_settings_survive_the_file(stage: Stage) -> None:
    written = json.loads(json.dumps(resolved.settings_of(stage)))
    read = files.construct(stage.kind.settings, written)
    assert read.model_dump(mode="json", exclude_none=True, warnings="error") == written


def sections(kind: Any) -> Iterator[type[Section]]:
    """The sections that a type names, and those within them."""
    if isinstance(kind, type) and issubclass(kind, Section):
        yield kind
        for field in kind.model_fields.values():
            yield from sections(field.annotation)
    for part in get_args(kind):
        yield from sections(part)


@pytest.mark.parametrize("kind", plan.KINDS)
def test_what_may_be_none_is_none_where_the_file_lacks_it(kind: str) -> None:
    fields = {
        f"{section.__qualname__}.{name}": field
        for section in sections(plan.KINDS[kind].settings)
        for name, field in section.model_fields.items()
    }
    optional = {name: field for name, field in fields.items() if NoneType in get_args(field.annotation)}
    assert [name for name, field in optional.items() if field.get_default() is not None] == []

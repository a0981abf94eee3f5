"""Settings come back from the file that `resolve` writes as they were, for every stage of the default parameters."""

import json

import pytest

from cellar import config, files
from cellar.pipeline import plan, resolved
from cellar.pipeline.stage import Stage

STAGES = [stage for stage in plan.stages(config.load()) if stage.has_settings]


@pytest.mark.parametrize("stage", STAGES, ids=[stage.address for stage in STAGES])
def test_settings_survive_the_file(stage: Stage) -> None:
    written = json.loads(json.dumps(resolved.settings_of(stage)))
    read = files.construct(stage.kind.settings, written)
    assert read.model_dump(mode="json", exclude_none=True, warnings="error") == written

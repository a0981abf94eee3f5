"""The schemas that editors use say of params.yaml what Cellar itself says: the same files pass, the same mistakes do not."""

import copy
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator
from pydantic import ValidationError

from cellar import schema
from cellar.cli import main
from cellar.config import checks, config_of
from cellar.config.compose import compose
from cellar.config.params import ParamsFile
from cellar.config.section import Count, Section
from cellar.config.strict_yaml import read_yaml
from cellar.config.study_file import FOR_EDITORS, Entry, plain, read_study_file
from cellar.errors import CellarError
from cellar.methods import registry
from cellar.schema import generated, methods
from tests.config.test_params import SPOILS, Spoil, line

ROOT = Path(__file__).parents[2]
FILES = sorted(ROOT.glob("studies/*/params/*.yaml"))
Values = dict[str, Any]

# What only several entries together show, and a seed named twice; the others of SPOILS are mistakes that the schema sees.
OF_SEVERAL_ENTRIES = {
    "unknown recipe", "recipe of another study", "unknown data set", "unknown teacher", "unknown experiment as teacher",
    "its own teacher", "two that teach each other", "teacher of another set", "experiment of another set as teacher",
    "a sweep's experiment of another set as teacher", "a sweep's unknown experiment as teacher",
    "a sweep's teacher of another set", "one row twice", "a file called like a data set", "starts in a circle",
    "unknown faces", "faces of no generator", "two processes of a generator", "a teacher of a set that is off",
    "faces of a set that is off", "a start of a set that is off", "a seed twice", "a line's seed twice",
}  # fmt: skip


@pytest.fixture(autouse=True)
def project(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


@pytest.fixture(scope="module")
def whole() -> Draft7Validator:
    return validator(schema.WHOLE)


@pytest.fixture(scope="module")
def part() -> Draft7Validator:
    return validator(schema.PART)


def validator(path: Path) -> Draft7Validator:
    read = json.loads((ROOT / path).read_text())
    Draft7Validator.check_schema(read)
    return Draft7Validator(read)


def problems(of: Draft7Validator, values: Any) -> list[str]:
    return [f"{error.json_path}: {error.message}" for error in of.iter_errors(values)]


@pytest.fixture
def params() -> Values:
    values: Values = read_yaml(ROOT / "params.yaml")
    return values


def test_the_committed_schemas_are_current(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema", "--check"]) == 0, "run: cellar schema"
    assert capsys.readouterr().out == ""


def test_an_outdated_schema_is_named_and_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "studies").mkdir()
    monkeypatch.chdir(tmp_path)
    schema.WHOLE.write_text("{}")
    assert main(["schema", "--check"]) == 1
    out = capsys.readouterr().out
    assert "params.schema.json: out of date; rewrite it with: cellar schema" in out
    assert schema.WHOLE.read_text() == "{}" and not schema.PART.exists()
    assert main(["schema"]) == 0 and main(["schema", "--check"]) == 0
    assert json.loads(schema.WHOLE.read_text())["properties"]["threads"]["minimum"] == 1


def test_elsewhere_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CellarError, match="run inside the project"):
        schema.write()
    assert not list(tmp_path.iterdir())


def test_params_yaml_passes_and_names_its_schema(whole: Draft7Validator, params: Values) -> None:
    assert problems(whole, params) == []
    assert (ROOT / "params.yaml").read_text().startswith(f"{FOR_EDITORS} $schema={schema.WHOLE}\n")


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parts[-3]}/{path.stem}")
def test_every_file_of_a_study_passes_alone_and_composed(
    path: Path, whole: Draft7Validator, part: Draft7Validator
) -> None:
    assert problems(part, plain(Entry(read_study_file(path).tree, path))) == []
    assert problems(whole, compose([f"{path.parts[-3]}/{path.stem}"]).values) == []
    first = path.read_text().splitlines()[0]
    assert first.startswith(f"{FOR_EDITORS} $schema=")
    assert (path.parent / first.partition("=")[2]).resolve() == (ROOT / schema.PART).resolve()


@pytest.mark.parametrize("name", SPOILS)
def test_a_mistake_of_one_entry_is_seen(name: str, whole: Draft7Validator, params: Values) -> None:
    SPOILS[name][0](params)
    assert bool(problems(whole, params)) is (name not in OF_SEVERAL_ENTRIES)


METHODS: dict[str, tuple[Spoil, str]] = {
    "unknown": (lambda method: method.update(name="logit_kb"), "'logit_kb' is not one of"),
    "a generator's": (lambda method: method.update(name="gan"), "'gan' is not one of"),
    "another method's key": (lambda method: method.update(margin=1.0), "'margin' was unexpected"),
    "misspelt": (lambda method: method.update(temprature=method.pop("temperature")), "'temprature' was unexpected"),
    "missing": (lambda method: method.pop("temperature"), "'temperature' is a required property"),
    "not positive": (lambda method: method.update(temperature=0), "0 is less than or equal to the minimum of 0"),
    "text": (lambda method: method.update(temperature="4"), "'4' is not of type 'number'"),
    "no choice": (lambda method: method.update(loss_form="equal"), "'equal' is not one of ['weighted', 'eq6_literal']"),
}  # fmt: skip


@pytest.mark.parametrize(("spoil", "said"), METHODS.values(), ids=METHODS)
def test_a_methods_parameters_are_its_own(spoil: Spoil, said: str, whole: Draft7Validator, params: Values) -> None:
    spoil(line(params, "fer2013-E1")["method"])
    assert said in " ".join(problems(whole, params))


class Ramp(Section):
    epochs: Count  # how long it takes


class Ramped(Section):
    ramp: Ramp  # how the weight grows


def test_a_methods_parameters_may_be_sections() -> None:
    form = Draft7Validator({"properties": {"method": methods.of_method("ramped", [Ramped], generated.Whole)}})
    assert form.is_valid({"method": {"name": "ramped", "ramp": {"epochs": 2}}})
    (problem,) = problems(form, {"method": {"name": "ramped", "ramp": {"epochs": 0}}})
    assert problem == "$.method.ramp.epochs: 0 is less than the minimum of 1"
    shown = form.schema["properties"]["method"]["properties"]["ramp"]
    assert shown["description"] == "how the weight grows"
    assert shown["properties"]["epochs"]["description"] == "how long it takes"


PARTS: dict[str, tuple[Values, str]] = {
    "only what differs": ({"recipes": {"a": {"epochs": 3}}, "experiments": {"b": {"method": {"temperature": 2}}}}, ""),
    "null takes out": ({"published": None, "teachers": {"a": {"start": None}, "b": None}, "scale": None}, ""),
    "directives": ({"base": ["a", "b"], "keep": {"recipes": [], "experiments": ["c"]}}, ""),
    "misspelt": ({"recipes": {"a": {"epoch": 3}}}, "'epoch'"),
    "misspelt parameter": ({"experiments": {"a": {"method": {"temprature": 3}}}}, "'temprature'"),
    "another method's": ({"experiments": {"a": {"method": {"name": "labels", "margin": 1}}}}, "'margin'"),
    "out of range": ({"recipes": {"a": {"epochs": 0}}}, "0 "),
    "of params.yaml": ({"studies": {}}, "'studies'"),
    "keep without a list": ({"keep": {"recipes": "a"}}, "'a' is not of type 'array'"),
}


@pytest.mark.parametrize(("values", "said"), PARTS.values(), ids=PARTS)
def test_a_file_of_a_study_states_what_differs(values: Values, said: str, part: Draft7Validator) -> None:
    found = problems(part, values)
    assert (found == []) if not said else any(words in found[0] for words in (said, "not valid under any"))


def test_both_say_the_same_of_any_value(whole: Draft7Validator, params: Values) -> None:
    """Every key of a small params.yaml, with values of every kind in its place, and left out."""
    small = one_of_each(params)
    assert problems(whole, small) == [] and is_valid(small)
    differing = [
        f"{key} = {value!r}: {problems(whole, changed) or 'passes'}"
        for key, value, changed in changes(small)
        if whole.is_valid(changed) is not is_valid(changed)
    ]
    assert differing == []


LEFT_OUT = object()
OTHERS = (None, True, -1, 0, 1.5, "text", "no name!", [], {}, LEFT_OUT)


def changes(values: Values) -> Iterator[tuple[str, Any, Values]]:
    for path in keys(values):
        for other in OTHERS:
            changed = copy.deepcopy(values)
            parent = changed
            for name in path[:-1]:
                parent = parent[name]
            if other is LEFT_OUT:
                del parent[path[-1]]
            else:
                parent[path[-1]] = other
            yield ".".join(path), "left out" if other is LEFT_OUT else other, changed


def keys(values: Values, above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name, value in values.items():
        yield (*above, name)
        if isinstance(value, dict):
            yield from keys(value, (*above, name))


def one_of_each(params: Values) -> Values:
    """Of every section those entries that have keys which no earlier one has."""
    small = {**params, "datasets": {}, "studies": {"s": {}}}
    small["datasets"] = {name: params["datasets"][name] for name in ("fer2013", "pins")}
    seen: set[tuple[Any, ...]] = set()
    for study in params["studies"].values():
        for section, entries in study.items():
            for name, entry in entries.items():
                method = entry.get("method", {}).get("name")
                new = {(section, method, *path) for path in keys(entry)} - seen
                if new:
                    small["studies"]["s"].setdefault(section, {})[name] = entry
                    seen |= new
    return small


def is_valid(values: Values) -> bool:
    """What Cellar says of every entry alone."""
    try:
        file = ParamsFile.model_validate(values)
        for study in file.studies.values():
            for experiment in study.experiments.values():
                if experiment.method_name == "gan":
                    return False
                registry.resolve(experiment.method)
        return not list(checks.dataset_problems(config_of(file)))
    except (ValidationError, CellarError):
        return False


def test_every_key_is_explained(whole: Draft7Validator, part: Draft7Validator) -> None:
    for read in (whole.schema, part.schema):
        found = dict(described(read, ""))
        assert len(found) > 100
        assert [key for key, description in found.items() if not description] == []
    recipe = whole.schema["$defs"]["Recipe"]["properties"]
    assert "epochs without a better one" in recipe["early_stop"]["description"]


def described(node: Any, place: str) -> Iterator[tuple[str, str]]:
    """(place, description) of every key that a section may have."""
    if isinstance(node, dict):
        if node.get("additionalProperties") is False:
            for name, value in node["properties"].items():
                yield f"{place}.{name}", value.get("description", "")
        for name, value in node.items():
            yield from described(value, f"{place}.{name}")
    if isinstance(node, list):
        for index, value in enumerate(node):
            yield from described(value, f"{place}[{index}]")


def test_planning_does_not_load_the_schemas() -> None:
    code = "import sys; from cellar.cli import parser; parser(); from cellar import config; config.load()"
    code += "; print([name for name in sys.modules if name.startswith(('cellar.schema', 'torch'))])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "[]"

"""What a crate is made of: files, parameters and their values, tools, each made once and named by what it is."""

import json
from io import StringIO
from pathlib import Path
from typing import Any
from urllib.parse import quote

from rocrate.model.contextentity import ContextEntity
from rocrate.model.file import File as CrateFile
from rocrate.rocrate import ROCrate

from cellar.config import Config
from cellar.provenance import lineage

VERSION = "1.1"  # of RO-Crate, which the profiles below are made for
PROFILES = {
    "https://w3id.org/ro/wfrun/process/0.5": "Process Run Crate",
    "https://w3id.org/ro/wfrun/workflow/0.5": "Workflow Run Crate",
    "https://w3id.org/ro/wfrun/provenance/0.5": "Provenance Run Crate",
    "https://w3id.org/workflowhub/workflow-ro-crate/1.0": "Workflow RO-Crate",
}
TERMS = "https://w3id.org/ro/terms/workflow-run/context"
SMALL = {".md", ".json", ".csv", ".png", ".html", ".yaml", ".lock", ".smk", ".py", ".rst"}
MEDIA = {
    ".md": "text/markdown",
    ".json": "application/json",
    ".csv": "text/csv",
    ".png": "image/png",
    ".html": "text/html",
    ".yaml": "application/yaml",
    ".lock": "application/yaml",
}
README = "README.md"
LICENCE = "https://spdx.org/licenses/MIT"
TERMS_OF_USE = "Of Cellar and of what it computed. Data sets and published weights have their publishers' licences."


class Entities:
    """The crate, and the entities in it by what they stand for."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.crate = ROCrate(version=VERSION)
        self.crate.metadata.extra_contexts.append(TERMS)
        self.crate.name = f"Cellar, scale {config.scale.name}"
        self.crate.description = f"Tables of knowledge-distillation studies made again. {config.scale.note}"
        self.crate.license = self.thing(
            LICENCE, "CreativeWork", name="MIT License", url=LICENCE, description=TERMS_OF_USE
        )
        self.crate.root_dataset["conformsTo"] = [self.profile(*one) for one in PROFILES.items()]

    def profile(self, address: str, name: str) -> Any:
        return self.thing(address, "CreativeWork", name=name, version=address.rpartition("/")[2])

    def thing(self, address: str, kind: str, /, **facts: Any) -> Any:
        """A contextual entity of the type `kind`; the first to name it says what it is."""
        address = uri(address)
        found = self.crate.dereference(address)
        if found is not None:
            return found
        made = self.crate.add(ContextEntity(self.crate, address, properties={"@type": kind}))
        for key, value in facts.items():
            made[key] = value
        return made

    def file(self, file: lineage.File) -> Any:
        """A file or folder of dvc.lock: copied if it is small and here, else named by its md5."""
        path = Path(file.path)
        if path.suffix in SMALL and path.is_file():
            return self.copied(path)
        identifier = f"hash://md5/{file.md5}"
        found = self.crate.dereference(identifier)
        if found is not None:
            return found
        if file.md5.endswith(".dir"):  # a folder's md5 is of the list of its files
            return self.thing(identifier, "Collection", name=file.path, identifier=f"md5:{file.md5}")
        facts = {"name": file.path, "md5": file.md5}
        return self.crate.add(CrateFile(self.crate, identifier, properties=facts))

    def readme(self, text: str) -> None:
        """README.md of the crate itself."""
        facts = {"name": README, "encodingFormat": MEDIA[".md"]}
        made = self.crate.add_file(StringIO(text), README, properties=facts)
        made["about"] = self.crate.root_dataset

    def copied(self, path: Path) -> Any:
        found = self.crate.dereference(quote(path.as_posix()))  # as the library names it
        if found is not None:
            return found
        facts = {"name": path.name, "contentSize": str(path.stat().st_size)}
        if path.suffix in MEDIA:
            facts["encodingFormat"] = MEDIA[path.suffix]
        return self.crate.add_file(path, str(path), properties=facts)

    def parameter(self, key: str, kind: str, description: str = "") -> Any:
        """A slot; `kind` is File, Collection, Text, Integer, Float or Boolean."""
        identifier = uri(f"#parameter/{key}")
        found = self.crate.dereference(identifier)
        if found is not None:
            return found
        return self.crate.add_formal_parameter(key, kind, identifier, description or None)

    def value(self, key: str, value: Any) -> Any:
        """What a parameter of params.yaml was; one of several keys is kept as JSON."""
        slot = self.parameter(key, kind_of(value), "an address in params.yaml")
        text = value if isinstance(value, str | int | float) else json.dumps(value)
        return self.fills(self.thing(f"#value/{key}={text}", "PropertyValue", name=key, value=text), slot)

    def fills(self, entity: Any, slot: Any) -> Any:
        """Say that an entity is what a slot held."""
        link(entity, "exampleOfWork", slot)
        link(slot, "workExample", entity)
        return entity


def uri(address: str) -> str:
    """With what no address may hold, such as blanks and brackets, as %XX; RDF could not be written of it."""
    return quote(address, safe=":/?#@!$&'()*+,;=%")


def link(entity: Any, key: str, other: Any) -> None:
    """Append, once."""
    present = entity.get(key) or []
    if other not in (present if isinstance(present, list) else [present]):
        entity.append_to(key, other, compact=True)


def kind_of(value: Any) -> str:
    if isinstance(value, bool):
        return "Boolean"
    return {int: "Integer", float: "Float"}.get(type(value), "Text")

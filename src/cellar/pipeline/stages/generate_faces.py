"""`cellar generate_faces FACES`: faces without labels, in shards; from seeds by a StyleGAN2, or from a folder."""

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

from cellar import config as parameters
from cellar import models, paths
from cellar.config import Faces, Params
from cellar.engine import run_record, runtime
from cellar.engine.runtime import Progress
from cellar.methods.gan import GANTraining, network_settings
from cellar.models.stylegan2 import file
from cellar.models.stylegan2.network import Generator
from cellar.models.stylegan2.sampling import faces_from_folder, generate_faces

WORKING = Path(".cache/faces")


def run(faces: str) -> None:
    params = parameters.load()
    section = params.faces_of(faces)
    device = runtime.prepare(params.threads)
    folder, progress = paths.faces(faces), Progress(faces, section.count)
    described = {"faces": section.model_dump(), "threads": params.threads}
    source = params.faces_source(faces)
    with run_record.record(paths.record_beside(folder), [source], [folder], described, device=device.type):
        unfinished = working_folder({**described, "source": run_record.content_hash(source), "device": device.type})
        if section.folder:
            faces_from_folder(source, unfinished, section.count, section.size, advance=progress.advance)
        else:
            generator = open_generator(section, params, source).to(device).eval()
            seeds = range(section.first_seed, section.first_seed + section.count)
            truncation = section.truncation
            generate_faces(
                generator, unfinished, seeds, section.size, truncation_psi=truncation, advance=progress.advance
            )
        folder.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(folder, ignore_errors=True)
        unfinished.rename(folder)
    progress.print_line()


def working_folder(identity: dict[str, Any]) -> Path:
    """Where shards gather: outside the outputs, which both tools delete when a stage fails; named by what they hang on."""
    digest = hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()
    return WORKING / digest[:32]


def open_generator(section: Faces, params: Params, source: Path) -> Generator:
    if not section.generator:
        return file.load(source)
    networks = GANTraining(network_settings(params.generator(section.generator)), seed=0)
    models.load_weights(networks, source)
    return networks.ema

"""`generate_faces`: faces without labels, in shards; from seeds by a StyleGAN2, or from a folder of images."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from cellar.config import Config, Faces
from cellar.config.resolved import GeneratorSettings
from cellar.config.section import Section
from cellar.pipeline import code
from cellar.pipeline.stage import Facts, Job, StageKind
from cellar.pipeline.stages import train_generator

if TYPE_CHECKING:
    from cellar.models.stylegan2.network import Generator

WORKING = Path(".cache/faces")


class Settings(Section):
    """`generator`: the architecture of a generator trained here; None for a published file or a folder."""

    faces: str
    section: Faces
    source: str
    generator: GeneratorSettings | None = None  # resolved settings leave out what is None
    threads: int


def jobs(config: Config) -> Iterator[Job]:
    for name, params in config.declaring("faces").items():
        if name in params.used_faces():
            section, source = params.faces[name], str(params.faces_source(name))
            seed = params.generator_seed(section.generator) if section.generator else 0
            generator = train_generator.settings_of(params, section.generator, seed) if section.generator else None
            settings = Settings(faces=name, section=section, source=source, generator=generator, threads=params.threads)
            published = code.STARTING if section.weights else ()
            yield Job(name, name, settings, (source,), published)


def run(settings: Settings) -> Facts:
    import shutil

    from cellar import paths
    from cellar.engine import runtime
    from cellar.engine.runtime import Progress
    from cellar.models.stylegan2.sampling import faces_from_folder, generate_faces

    section, source = settings.section, Path(settings.source)
    device = runtime.prepare(settings.threads)
    folder, progress = paths.faces(settings.faces), Progress(settings.faces, section.count)
    unfinished = working_folder(settings, device.type)
    if section.folder:
        faces_from_folder(source, unfinished, section.count, section.size, advance=progress.advance)
    else:
        generator = open_generator(settings).to(device).eval()
        seeds = range(section.first_seed, section.first_seed + section.count)
        truncation = section.truncation
        generate_faces(generator, unfinished, seeds, section.size, truncation_psi=truncation, advance=progress.advance)
    folder.parent.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(folder, ignore_errors=True)
    unfinished.rename(folder)
    progress.print_line()
    return runtime.device_facts(device, settings.threads)


def working_folder(settings: Settings, device: str) -> Path:
    """Where shards gather, named by all that they depend on. It lies outside the outputs, which both tools delete when a
    stage fails."""
    import hashlib
    import json

    from cellar.engine.run_record import content_hash
    from cellar.models.stylegan2.sampling import RESIZED

    source = content_hash(Path(settings.source))
    identity = {**settings.model_dump(), "hash": source, "device": device, "resized": RESIZED}
    return WORKING / hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:32]


def open_generator(settings: Settings) -> "Generator":
    """The averaged generator of a training here, or that of a published file."""
    if settings.generator is None:
        from cellar.models.stylegan2 import file

        return file.load(Path(settings.source))
    from cellar import models
    from cellar.methods.gan import GANTraining, network_settings

    networks = GANTraining(network_settings(settings.generator), seed=0)
    models.load_weights(networks, Path(settings.source))
    return networks.ema


KIND = StageKind(
    "generate_faces",
    jobs,
    Settings,
    run,
    (*code.TRAINING, *code.FACES, train_generator.METHOD, train_generator.NETWORKS),
    outs=("data/faces/{item}/",),
    torch=True,
)

"""`cellar train_generator GENERATOR --seed S`: a small StyleGAN2, trained on a data set's training images.

In float32 whatever the project's precision: R1 differentiates twice, the moving averages lose what bf16 rounds away, and on
a CPU bf16 is the slower of the two at these sizes.
"""

from functools import partial

import torch

from cellar import config as parameters
from cellar import paths
from cellar.config import Generator
from cellar.data import prepared
from cellar.engine import devices
from cellar.engine.fit import Lesson, train
from cellar.engine.inference import open_split
from cellar.engine.training import EveryImage
from cellar.methods.losses.adversarial import adversarial_loss
from cellar.methods.objectives.of_output import OfOutput
from cellar.methods.stylegan2_game import AdversarialGame
from cellar.models.stylegan2.network import Settings
from cellar.seeding import derive


def run(generator: str, seed: int) -> None:
    params = parameters.load().model_copy(update={"precision": "fp32"})
    section = params.generator(generator)
    wanted = {"input_size": section.size, "augmentation": "flip", "normalisation": "symmetric"}

    def prepare_lesson(device: torch.device) -> Lesson:
        image_set = prepared.load(paths.prepared(section.dataset))
        split = open_split(image_set, slice(0, int((image_set.split == "train").sum())), wanted, device)
        torch.manual_seed(derive(seed, "initial weights"))
        game = devices.place(AdversarialGame(settings(section), seed=seed, half_life=section.half_life), device)
        objective = OfOutput(partial(adversarial_loss, gamma=section.r1_gamma))
        return Lesson(game, split, objective, EveryImage(len(split.labels), split.views.count, seed, device), None)

    recipe = params.recipes[section.recipe]
    described = {
        "generator": section.model_dump(exclude={"seeds"}),
        "recipe": recipe.model_dump(),
        **wanted,
        "precision": params.precision,
    }
    inputs = [paths.prepared(section.dataset) / "arrays.npz"]
    train(paths.trained("generators", generator, seed), described, recipe, params, seed, inputs, prepare_lesson)


def settings(section: Generator) -> Settings:
    return Settings(
        z_dim=section.latent,
        w_dim=section.latent,
        img_resolution=section.size,
        channel_base=section.channel_base,
        channel_max=section.channel_max,
    )

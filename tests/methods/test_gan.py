"""The discriminator and adversarial training: values by hand, which network gets which gradients, resuming to the same bits."""

import copy
import io
import math

import numpy as np
import pytest
import torch
from scipy.signal import convolve2d, correlate2d
from torch import Tensor

from cellar.methods.gan import GANTraining, adversarial_loss, discriminator_loss, generator_loss, r1_penalty
from cellar.models.stylegan2.discriminator import Discriminator, minibatch_std
from cellar.models.stylegan2.network import Settings
from cellar.models.stylegan2.ops import Convolution

SETTINGS = Settings(z_dim=6, w_dim=8, img_resolution=16, num_layers=2, channel_base=64, channel_max=8)
GAMMA = 0.5


def new_training(seed: int = 0, half_life: int = 100) -> GANTraining:
    torch.manual_seed(3)
    return GANTraining(SETTINGS, seed=seed, half_life=half_life)


def adam(training: GANTraining) -> torch.optim.Optimizer:
    return torch.optim.Adam(training.parameters(), lr=0.002, betas=(0.0, 0.99))


def photos(count: int, first: int = 0) -> list[Tensor]:
    """A batch of 8 for each step."""
    draws = [torch.Generator().manual_seed(number) for number in range(first, first + count)]
    return [torch.rand(8, 3, 16, 16, generator=draw) * 2 - 1 for draw in draws]


def steps(training: GANTraining, optimizer: torch.optim.Optimizer, batches: list[Tensor]) -> list[dict[str, Tensor]]:
    """What the training loop does with a batch: outputs, losses, a step."""
    found = []
    training.train()
    for images in batches:
        losses = adversarial_loss(training(images), gamma=GAMMA)
        optimizer.zero_grad(set_to_none=True)
        losses["loss"].backward()
        optimizer.step()
        found.append({name: value.detach() for name, value in losses.items()})
    return found


def same(one: GANTraining, other: GANTraining) -> bool:
    pairs = zip(one.state_dict().values(), other.state_dict().values(), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


def test_the_losses_are_those_of_the_paper() -> None:
    real, generated = torch.tensor([2.0, -1.0]), torch.tensor([0.5, 3.0])

    def sigmoid(x: float) -> float:
        return 1 / (1 + math.exp(-x))

    terms = [-math.log(sigmoid(r)) - math.log(1 - sigmoid(g)) for r, g in ((2, 0.5), (-1, 3))]
    assert discriminator_loss(real, generated).item() == pytest.approx(sum(terms) / 2)
    expected = (-math.log(sigmoid(0.5)) - math.log(sigmoid(3))) / 2
    assert generator_loss(generated).item() == pytest.approx(expected)
    outputs = torch.stack([real, generated, generated, torch.tensor([4.0, 6.0])], 1)
    losses = adversarial_loss(outputs, gamma=0.2)
    assert losses["discriminator_loss"].item() == pytest.approx(sum(terms) / 2)
    assert losses["generator_loss"].item() == pytest.approx(expected)
    assert losses["loss"].item() == pytest.approx(sum(terms) / 2 + expected + 0.1 * 5)


def test_r1_of_a_known_function() -> None:
    """Of x · w + x²: the slope is w + 2x, and the slope of its square is 4 (w + 2x)."""
    images, weight = torch.randn(2, 3, 4, 4).requires_grad_(), torch.randn(3, 4, 4)
    slopes = r1_penalty((images * weight + images**2).sum((1, 2, 3)), images)
    torch.testing.assert_close(slopes, (weight + 2 * images).square().sum((1, 2, 3)))
    (second,) = torch.autograd.grad(slopes.sum(), images)
    torch.testing.assert_close(second, 4 * (weight + 2 * images))


def test_the_discriminator_is_the_published_one() -> None:
    with torch.device("meta"):
        found = Discriminator(Settings())
    assert sum(value.numel() for value in found.parameters()) == 29_012_513  # of FFHQ at 1024
    names = {name for name, _ in Discriminator(SETTINGS).named_parameters()}
    convolutions = {"b16.fromrgb", *(f"b{n}.conv{i}" for n in (16, 8) for i in (0, 1)), "b4.conv", "b4.fc", "b4.out"}
    assert names == {f"{at}.{part}" for at in convolutions for part in ("weight", "bias")} | {
        "b16.skip.weight",
        "b8.skip.weight",
    }


@pytest.mark.parametrize("side", [1, 3])
def test_a_convolution_to_half_the_side_by_hand(side: int) -> None:
    """Zeros around, the filter, the weights, every second pixel, one plane after the other."""
    torch.manual_seed(0)
    layer = Convolution(2, 3, side, down=True, active=False).requires_grad_(False)
    x, taps = torch.randn(1, 2, 8, 8), np.outer([1, 3, 3, 1], [1, 3, 3, 1]) / 64
    padding = 1 + side // 2
    blurred = [convolve2d(np.pad(plane, padding), taps, "valid") for plane in x[0].double().numpy()]
    weight = layer.weight.double().numpy() / math.sqrt(2 * side**2)
    sums = [sum(correlate2d(p, k, "valid") for p, k in zip(blurred, kernels, strict=True)) for kernels in weight]
    np.testing.assert_allclose(layer(x)[0].numpy(), np.stack(sums)[:, ::2, ::2], atol=1e-5)


def test_minibatch_std_is_that_of_groups_of_four() -> None:
    x = torch.randn(8, 3, 4, 4)
    for first in (0, 1):  # images 0, 2, 4, 6 and 1, 3, 5, 7
        group = x[first::2].double().numpy()
        expected = np.sqrt(group.var(0) + 1e-8).mean()
        np.testing.assert_allclose(minibatch_std(x)[first::2].numpy(), np.full((4, 1, 4, 4), expected), rtol=1e-5)
    assert minibatch_std(x[:6]).shape == (6, 1, 4, 4) and minibatch_std(x[:1]).max() < 1e-3


def test_each_network_gets_the_gradients_of_its_own_loss() -> None:
    training, (images,) = new_training(), photos(1)
    other = copy.deepcopy(training)
    adversarial_loss(training(images), gamma=GAMMA)["loss"].backward()
    generated = other.generate(images)
    inputs = images.clone().requires_grad_()
    real = other.discriminator(inputs)
    (slopes,) = torch.autograd.grad(real.sum(), inputs, create_graph=True)
    r1 = GAMMA / 2 * 16 * (slopes**2).sum((1, 2, 3)).mean()
    player = discriminator_loss(real, other.discriminator(generated.detach())) + r1
    expected = torch.autograd.grad(player, list(other.discriminator.parameters()))
    for (name, found), value in zip(training.discriminator.named_parameters(), expected, strict=True):
        torch.testing.assert_close(found.grad, value, msg=name)
    weights = [value for _, value in other.generator.named_parameters()]
    expected = torch.autograd.grad(generator_loss(other.discriminator(generated)), weights)
    for (name, found), value in zip(training.generator.named_parameters(), expected, strict=True):
        torch.testing.assert_close(found.grad, value, msg=name)
    assert all(value.grad is None for value in training.ema.parameters())


def test_r1_is_computed_every_sixteenth_step_sixteenfold() -> None:
    training = new_training()
    with torch.no_grad():
        training.rounds.fill_(15)
    slopes = [training(images)[:, 3] for images in photos(3)]
    assert not slopes[0].any() and slopes[1].all() and not slopes[2].any()
    inputs = photos(2)[1].requires_grad_()
    (by_hand,) = torch.autograd.grad(training.discriminator(inputs).sum(), inputs)
    torch.testing.assert_close(slopes[1], 16 * by_hand.square().sum((1, 2, 3)))


def test_the_average_by_hand() -> None:
    """Half-life: 5 % of the images seen, at most 3 of them; before the first round there is nothing to keep."""
    training = new_training(half_life=3)
    optimizer = torch.optim.Adam(training.parameters(), lr=0.1, betas=(0.0, 0.99))
    expected, name = None, "synthesis.b16.conv1.weight"
    for number, images in enumerate(photos(10)):
        before = training.generator.state_dict()[name].clone()
        half_life = min(3, 0.05 * 8 * number)
        beta = 0.5 ** (8 / half_life) if half_life else 0
        expected = before if expected is None else before + beta * (expected - before)
        steps(training, optimizer, [images])
        torch.testing.assert_close(training.ema.state_dict()[name], expected, atol=1e-6, rtol=0)
        assert not torch.equal(training.generator.state_dict()[name], before)


def test_the_mean_of_w_follows() -> None:
    training, (images,) = new_training(), photos(1)
    seen: list[Tensor] = []
    training.generator.mapping.register_forward_hook(lambda module, inputs, w: seen.append(w.detach()))
    training(images)
    torch.testing.assert_close(training.generator.mapping.w_avg, 0.005 * seen[0].mean(0))
    training(images)
    torch.testing.assert_close(training.ema.mapping.w_avg, 0.005 * seen[0].mean(0))


def test_a_training_is_repeated_by_its_seed() -> None:
    trainings = [new_training(seed) for seed in (1, 1, 2)]
    for training in trainings:
        torch.manual_seed(torch.seed())  # the global stream has no part in a round
        losses = steps(training, adam(training), photos(3))
        assert all(value.isfinite() for row in losses for value in row.values())
    assert same(trainings[0], trainings[1]) and not same(trainings[0], trainings[2])


def test_every_step_draws_new_numbers() -> None:
    training, (images,) = new_training(), photos(1)
    first, second = training(images), training(images)
    assert torch.equal(first[:, 0], second[:, 0]) and not torch.isclose(first[:, 1], second[:, 1]).any()


def test_a_stopped_training_resumes_to_the_same_bits() -> None:
    whole = new_training()
    steps(whole, adam(whole), photos(20))
    begun = new_training()
    optimizer = adam(begun)
    steps(begun, optimizer, photos(9))
    kept = io.BytesIO()
    torch.save({"model": begun.state_dict(), "optimizer": optimizer.state_dict()}, kept)
    kept.seek(0)
    state, resumed = torch.load(kept, weights_only=True), GANTraining(SETTINGS, seed=0, half_life=100)
    optimizer = adam(resumed)
    resumed.load_state_dict(state["model"])
    optimizer.load_state_dict(state["optimizer"])
    steps(resumed, optimizer, photos(11, first=9))
    assert same(whole, resumed) and int(resumed.rounds) == 20 and int(resumed.seen) == 160


def test_a_trained_generator_leaves_its_noise_behind() -> None:
    """On pictures of one colour its images come nearer to that colour than they were."""
    training = new_training()
    colour = torch.tensor([0.6, -0.2, -0.7])[None, :, None, None].expand(16, 3, 16, 16)
    z = torch.randn(16, 6, generator=torch.Generator().manual_seed(0))
    before = (training.generator(z) - colour).abs().mean()
    optimizer = torch.optim.Adam(training.parameters(), lr=0.01, betas=(0.0, 0.99))
    steps(training, optimizer, [colour + 0.05 * torch.randn(colour.shape) for _ in range(60)])
    assert (training.eval()(z) - colour).abs().mean() < 0.6 * before

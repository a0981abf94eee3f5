"""Transforms of a batch with separate amounts for each image: rotation, border, mirror, blur, colour, erasure.

Pixels are float32 (B, 3, H, W) from 0 to 255. The result for an image depends only on the image and its amounts, bit for
bit, not on the other images of the batch. Each is torchvision's transform of that name, unless its docstring says otherwise.
"""

import math

import torch
from torch import Tensor
from torch.nn import functional

GREY = (0.2989, 0.587, 0.114)  # ITU-R BT.601, as torchvision has it
DEGREES = torch.arange(360, dtype=torch.float64) * (math.pi / 180)
TURNS = torch.stack([DEGREES.cos(), DEGREES.sin()], 1).float()  # (360, 2): a table, so that every device has these bits
BLUR_WIDTH, BLUR_HEIGHT = 5, 9  # taps at BLUR_SIDE: the Pins study's kernel_size=(5, 9)
BLUR_SIDE = 224  # side, in pixels, of the images that the Pins study blurs


def rotate(pixels: Tensor, degrees: Tensor) -> Tensor:
    """Rotate counter-clockwise about the middle by whole `degrees` (B,) int64, 0 to 359; bilinear, padded with black."""
    height, width = pixels.shape[-2:]
    cosine, sine = TURNS.to(pixels.device)[degrees].T[:, :, None, None]  # (B, 1, 1) each
    x, y = (torch.arange(side, device=pixels.device, dtype=torch.float32) - (side - 1) / 2 for side in (width, height))
    x, y = x[None, None, :], y[None, :, None]
    from_x, from_y = cosine * x - sine * y, sine * x + cosine * y  # (B, H, W): where a pixel comes from
    grid = torch.stack([from_x * (2 / width), from_y * (2 / height)], -1)
    return functional.grid_sample(pixels, grid, mode="bilinear", padding_mode="zeros", align_corners=False)


def keep_middle(pixels: Tensor, share: Tensor) -> Tensor:
    """Keep the middle `share` (B,) of both sides and blacken the rest: a centre crop, padded back to the image's size."""
    rows, columns = (inside_middle(share, side) for side in pixels.shape[-2:])
    return pixels * (rows[:, None, :, None] & columns[:, None, None, :])


def inside_middle(share: Tensor, side: int) -> Tensor:
    """Which pixels of a line of length `side` lie in its middle: bool (B, side). An odd border pixel is on the left."""
    kept = (share * side).floor()[:, None]
    first = ((side - kept) / 2).ceil()
    place = torch.arange(side, device=share.device)
    return (place >= first) & (place < first + kept)


def mirror(pixels: Tensor) -> Tensor:
    """Mirror left and right."""
    return pixels.flip(-1)


def blur(pixels: Tensor, sigma: Tensor) -> Tensor:
    """Gaussian of `sigma` (B,), in pixels of an image of side 224, cut off 5 wide and 9 high at that side.

    Sigma and kernel size scale with the image, so that the blur looks the same at every size: the outermost taps of a
    smaller image count by the fraction of them inside the kernel. The image is padded by reflection.
    """
    height, width = pixels.shape[-2:]
    blurred = convolve(pixels, -1, gaussian(sigma * width / BLUR_SIDE, BLUR_WIDTH * width / BLUR_SIDE))
    return convolve(blurred, -2, gaussian(sigma * height / BLUR_SIDE, BLUR_HEIGHT * height / BLUR_SIDE))


def gaussian(sigma: Tensor, extent: float) -> Tensor:
    """Weights (B, taps) float32 of a kernel `extent` pixels long; taps is odd."""
    radius = math.ceil((extent - 1) / 2 - 1e-9)
    offset = torch.arange(-radius, radius + 1, device=sigma.device, dtype=torch.float64)
    inside = (extent / 2 + 0.5 - offset.abs()).clamp(0, 1)
    weight = inside * torch.exp(-0.5 * (offset / sigma.double()[:, None]) ** 2)
    return (weight / weight.sum(1, keepdim=True)).float()


def convolve(pixels: Tensor, axis: int, weight: Tensor) -> Tensor:
    """Convolve each image with its own symmetric kernel `weight` (B, taps) along `axis`, -1 or -2.

    A sum over taps: unlike a grouped convolution, it adds in the same order in every batch.
    """
    side, radius = pixels.shape[axis], weight.shape[1] // 2
    border = [radius, radius, 0, 0] if axis == -1 else [0, 0, radius, radius]
    wide = functional.pad(pixels, border, mode="reflect")
    total = torch.zeros_like(pixels)
    for tap in range(weight.shape[1]):
        total += weight[:, tap, None, None, None] * wide.narrow(axis, tap, side)
    return total


def jitter(pixels: Tensor, brightness: Tensor, contrast: Tensor, saturation: Tensor, hue: Tensor) -> Tensor:
    """Change brightness, contrast, saturation and hue, in this order, by factors (B,); `hue` in turns of the colour circle."""
    pixels = blend(pixels, torch.zeros_like(pixels), brightness)
    pixels = blend(pixels, grey(pixels).mean((1, 2, 3), keepdim=True), contrast)
    pixels = blend(pixels, grey(pixels), saturation)
    return turn_hue(pixels, hue)


def blend(pixels: Tensor, other: Tensor, factor: Tensor) -> Tensor:
    """Interpolate: `other` at factor 0, `pixels` at 1; factors above 1 extrapolate."""
    factor = factor.float()[:, None, None, None]
    return (factor * pixels + (1 - factor) * other).clamp(0, 255)


def grey(pixels: Tensor) -> Tensor:
    """(B, 1, H, W)."""
    red, green, blue = pixels.unbind(1)
    return (GREY[0] * red + GREY[1] * green + GREY[2] * blue)[:, None]


def turn_hue(pixels: Tensor, turns: Tensor) -> Tensor:
    """Shift the hue by `turns` (B,): to hue, chroma and value, and back."""
    value, brightest = pixels.max(1)
    chroma = value - pixels.amin(1)
    red, green, blue = pixels.unbind(1)
    gaps = torch.stack([green - blue, blue - red, red - green], 1)  # the hue is counted from the brightest channel
    gap = gaps.gather(1, brightest[:, None])[:, 0] / chroma.clamp(min=1e-6)
    sixths = gap + 2 * brightest + 6 * turns.float()[:, None, None]
    channels = [(number + sixths) % 6 for number in (5, 3, 1)]
    return torch.stack([value - chroma * torch.minimum(k, 4 - k).clamp(0, 1) for k in channels], 1)


def erase(pixels: Tensor, area: Tensor, ratio: Tensor, across: Tensor, down: Tensor) -> Tensor:
    """Blacken a box with `area` of the image and height / width `ratio`; `across` and `down` from 0 to 1; all (B,).

    torchvision draws again when the box is larger than the image; here its longer side is clipped to one pixel less.
    """
    height, width = pixels.shape[-2:]
    rows = inside_box((area * ratio).sqrt(), down, height)
    columns = inside_box((area / ratio).sqrt(), across, width)
    return pixels * ~(rows[:, None, :, None] & columns[:, None, None, :])


def inside_box(share: Tensor, place: Tensor, side: int) -> Tensor:
    """Which pixels of a line of length `side` lie in an interval of `share` of it: bool (B, side)."""
    length = (share * side).round().clamp(max=side - 1)[:, None]
    first = (place[:, None] * (side - length + 1)).floor()
    pixel = torch.arange(side, device=share.device)
    return (pixel >= first) & (pixel < first + length)

"""Views, against NumPy by hand."""

import numpy as np
import torch

from cellar import views


def test_a_view_is_the_normalised_image_or_its_mirror() -> None:
    image = np.arange(2 * 4 * 4, dtype=np.uint8).reshape(2, 4, 4)
    tensor = views.to_tensor(image, 4, torch.device("cpu"))
    cut = views.cut(tensor, torch.tensor([0, 1])).numpy()
    for channel in range(3):
        plain = (image[0].astype(np.float32) / 255 - views.MEAN[channel]) / views.STD[channel]
        mirror = (image[1][:, ::-1].astype(np.float32) / 255 - views.MEAN[channel]) / views.STD[channel]
        np.testing.assert_allclose(cut[0, channel], plain, rtol=1e-5)
        np.testing.assert_allclose(cut[1, channel], mirror, rtol=1e-5)


def test_colour_keeps_its_channels_and_sizes_follow_the_parameter() -> None:
    image = np.zeros((5, 10, 10, 3), np.uint8)
    image[..., 0] = 255
    tensor = views.to_tensor(image, 6, torch.device("cpu"))
    assert tensor.shape == (5, 3, 6, 6) and tensor.dtype == torch.uint8
    assert tensor[:, 0].min() == 255 and tensor[:, 1:].max() == 0

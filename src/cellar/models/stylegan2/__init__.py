"""StyleGAN2: networks, operators, published files, sampling."""

"""One file a public layout: raw files in, images, labels and splits out."""

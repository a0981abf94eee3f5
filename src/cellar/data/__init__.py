"""One file a data set: its public layouts in, an ImageSet out."""

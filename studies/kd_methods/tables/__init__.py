"""The tables of the study: each printed one with our accuracies, and a comparison of the methods for each pair of params.yaml."""

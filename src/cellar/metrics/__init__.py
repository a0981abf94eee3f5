"""Pure functions: classification, features, metrics from predictions, confidence intervals."""

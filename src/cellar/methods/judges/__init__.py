"""How a model is scored after an epoch, a file for each way of learning: names and numbers for the history."""

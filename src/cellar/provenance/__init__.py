"""Any cell from its exact inputs: explain it, prove it, make it again, say what moved it."""

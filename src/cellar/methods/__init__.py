"""One file per method: equation, loss, parameters, what it needs from the teacher, sampler, evaluator, predictions.

The name of a file is the method's name in params.yaml; its module-level METHOD is the class. registry finds it.
"""

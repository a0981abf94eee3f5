"""Training and evaluation without any method: the loop, set-up, teachers, the run-time environment, run records."""

"""A study as tests/workflow/test_toy_study.py copies it into `studies/` of a clone."""

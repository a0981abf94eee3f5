"""`python -m cellar`, which stages are run by."""

import os
import sys

from cellar.cli import main

# A closed pipe (cellar explain ... | head) is no error of ours.
try:
    code = main()
    sys.stdout.flush()
except BrokenPipeError:
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    code = 141
sys.exit(code)

"""`python -m cellar`, which stages are run by."""

import atexit
import gc
import os
import sys
from pathlib import Path

from cellar import paths

OWN = Path("src").resolve()

# `dvc exp run --temp` and `--queue` check the project out anew, and what runs there is to be that checkout's own code.
if paths.EXPERIMENT_OF and paths.PACKAGE.parent != OWN and (OWN / "cellar").is_dir():
    os.environ["PYTHONPATH"] = f"{OWN}:{os.environ.get('PYTHONPATH', '')}"
    os.execv(sys.executable, [sys.executable, "-m", "cellar", *sys.argv[1:]])


def keep_what_is_left() -> None:
    if "triton" not in sys.modules:  # which prints what is left at its end, as a leak
        gc.freeze()


# Importing PyTorch makes a million objects that live to the end. To search them for garbage, again and again while they are made
# and once more at the end, takes as long as to make them.
gc.set_threshold(10_000)
atexit.register(keep_what_is_left)

from cellar.cli import main  # noqa: E402

sys.exit(main())

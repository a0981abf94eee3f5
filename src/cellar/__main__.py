"""`python -m cellar`, which stages are run by."""

import os
import sys
from pathlib import Path

from cellar import paths

OWN = Path("src").resolve()

# `dvc exp run --temp` and `--queue` check the project out anew, and what runs there is to be that checkout's own code.
if paths.EXPERIMENT_OF and paths.PACKAGE.parent != OWN and (OWN / "cellar").is_dir():
    os.environ["PYTHONPATH"] = f"{OWN}:{os.environ.get('PYTHONPATH', '')}"
    os.execv(sys.executable, [sys.executable, "-m", "cellar", *sys.argv[1:]])

from cellar.cli import main  # noqa: E402

sys.exit(main())

"""A search that follows coverage, by atheris, which is not in the lock (pip install atheris; Python 3.11 to 3.13):

    python -m tests.fuzz.guided READER [libFuzzer's options, such as -max_total_time=60 -seed=1]

What breaks the reader is left as crash-*, in the folder it is started in; begin from the corpus, which is not changed.
"""

import shutil
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import atheris

with atheris.instrument_imports(include=["cellar", "pickle", "zipfile", "tarfile", "json", "csv"]):
    from tests.fuzz.readers import CORPUS, READERS
    from tests.fuzz.watch import assert_answers, warm_up


def main() -> None:
    reader, *options = sys.argv[1:]
    warm_up()
    with TemporaryDirectory() as scratch:

        def one_case(content: bytes) -> None:
            case = Path(scratch) / "case"
            assert_answers(READERS[reader], content, case)
            shutil.rmtree(case)

        grown = Path(scratch) / "corpus"
        shutil.copytree(CORPUS / reader, grown)
        atheris.Setup([sys.argv[0], "-max_len=65536", *options, str(grown)], one_case)
        atheris.Fuzz()


if __name__ == "__main__":
    main()

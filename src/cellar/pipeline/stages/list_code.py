"""`cellar list_code`: of every kind of stage the source files that its code consists of, with their md5."""

from cellar import config as parameters
from cellar.pipeline import code_lists


def run() -> None:
    code_lists.write(parameters.load())

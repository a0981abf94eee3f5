"""`cellar list_code`: of every kind of stage the source files that its code consists of, with their md5."""

from cellar import code_lists
from cellar import params as parameters


def run() -> None:
    code_lists.write(parameters.load())

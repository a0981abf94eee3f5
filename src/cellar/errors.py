"""The one kind of error that is meant for the user."""


class CellarError(Exception):
    """Something the user can mend. The text is one line: what is wrong, where, what to do.

    The command line prints it as the last line on stderr and exits with 1; nothing half-written stays behind.
    """

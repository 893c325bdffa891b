"""Errors a person can act on: one or two sentences that say what happened, where, and what to do.

The command line prints the message without a traceback and exits with `exit_code`.
"""


class LakeError(Exception):
    """Wrong use or a missing prerequisite (exit code 2)."""

    exit_code = 2


class CheckFailed(LakeError):
    """A check of the data failed; the last good gold stays in service (exit code 1)."""

    exit_code = 1

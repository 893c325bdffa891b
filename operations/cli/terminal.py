"""Output for terminals and files that can't hold every character, such as those in Latin-1.

In: standard output and error as the environment set them up. Out: the same streams, which write a
plain sign or a code where a character has no place, and never end a command.
"""

import codecs
import io
import sys

_PLAIN = {"✓": "+", "✗": "x", "·": "-", "£": "GBP ", "–": "-", "…": "...", "’": "'"}
_NAME = "cartlake-plain"


def write_what_the_terminal_can() -> None:
    """Have both streams write a plain sign, or a code as `\\u2713`, for what they can't hold."""
    codecs.register_error(_NAME, _plain)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=_NAME)


def _plain(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    signs = error.object[error.start : error.end]
    codes = (
        _PLAIN.get(sign) or sign.encode("ascii", "backslashreplace").decode() for sign in signs
    )
    return "".join(codes), error.end

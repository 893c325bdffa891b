"""Output for terminals and files that can't hold every character, such as those in Latin-1.

In: standard output and error as the environment set them up. Out: the same streams, which write a
plain sign or a code where a character has no place, and never end a command.
"""

import codecs
import io
import sys
from decimal import Decimal

from lakehouse.shop import shop
from lakehouse.shop_format import currency_sign, plain_money

_PLAIN = {"✓": "+", "✗": "x", "·": "-", "–": "-", "…": "...", "’": "'"}
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
    known = {**_PLAIN, **_money_signs()}
    codes = (known.get(sign) or sign.encode("ascii", "backslashreplace").decode() for sign in signs)
    return "".join(codes), error.end


def _money_signs() -> dict[str, str]:
    """The currency's sign as its code, where it is one character; blanks that don't break."""
    sign, code = currency_sign(), shop().currency
    stands_first = plain_money(Decimal(1)).startswith(sign)
    return {sign: f"{code} " if stands_first else code, "\N{NO-BREAK SPACE}": " "}

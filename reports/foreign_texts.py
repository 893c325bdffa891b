"""Texts of others, such as names of products, as mails and alerts show them.

In: any text. Out: one line without signs that could hide or reorder what stands beside them; each
channel escapes the rest for its own form.
"""

import unicodedata

LONGEST_NAME = 80
_HIDDEN = ("Cc", "Zl", "Zp", "Cs")
_TURNING = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c"
"""Signs that turn the direction of what follows; letters of any script keep their own."""


def plain(text: str) -> str:
    """A name on one line, without signs that can't be seen, at most `LONGEST_NAME` long."""
    seen = "".join(
        " " if unicodedata.category(each) in _HIDDEN else each
        for each in unicodedata.normalize("NFC", text)
        if each not in _TURNING
    )
    line = " ".join(seen.split())
    return line if len(line) <= LONGEST_NAME else f"{line[: LONGEST_NAME - 1]}…"

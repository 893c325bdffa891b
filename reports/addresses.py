"""Mail addresses as people write them, checked once, and as SMTP takes them.

In: a text such as `Jo Roe <jo@bücher.example>`. Out: an `Address`, or an error that says what is
wrong with it. Whatever could end a header line or an SMTP command is refused here.
"""

import re
import unicodedata
from dataclasses import dataclass
from email.headerregistry import Address as HeaderAddress
from email.utils import parseaddr

from lakehouse.errors import LakeError

_LONGEST = 254
_LABEL = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)")
_DOT_ATOM = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_QUOTED = re.compile(r'"([\x20\x21\x23-\x5b\x5d-\x7e]|\\[\x20-\x7e])*"')
_QUOTED_NAME = re.compile(r'"[^"\\]*"')
_OTHERS = frozenset('<>,;@"')
"""Signs that a name without quotes can't have; between addresses they mean another one."""
_HIDDEN = ("Cc", "Cf", "Zl", "Zp")
"""Unicode's controls, signs without width or that turn the direction of writing, line ends."""


@dataclass(frozen=True)
class Address:
    """One mailbox. `spec` is ASCII, its domain in lower case and Punycode; `name` may be empty."""

    spec: str
    name: str = ""

    @property
    def domain(self) -> str:
        return self.spec.rpartition("@")[2]

    def header(self) -> HeaderAddress:
        """For a header; the mail library writes and encodes the name."""
        return HeaderAddress(display_name=self.name, addr_spec=self.spec)


def parse_address(text: str) -> Address:
    """One address, with or without a name.

    Raises:
        LakeError: It is not one mailbox that any mail server can take.
    """
    shown = repr(text[:80])
    if any(unicodedata.category(each) in _HIDDEN for each in text):
        raise LakeError(
            f"The address {shown} holds a line end or a hidden sign. Write one address without."
        )
    name, spec = parseaddr(text)
    local, at, domain = spec.rpartition("@")
    if not at or not (_DOT_ATOM.fullmatch(local) or _QUOTED.fullmatch(local)):
        raise LakeError(f"{shown} is no mail address. Write one such as jo@shop.example.")
    plain = f"{local}@{_ascii_domain(domain, shown)}"
    if len(plain) > _LONGEST:
        raise LakeError(f"The address {shown} is longer than {_LONGEST} characters.")
    written = text.strip()
    before = written.removesuffix(f"<{spec}>").strip()
    is_named = before != written and (
        bool(_QUOTED_NAME.fullmatch(before)) or not _OTHERS & set(before)
    )
    if written != spec and not is_named:
        raise LakeError(f"{shown} is not one mail address. Write each recipient for itself.")
    return Address(plain, name.strip())


def _ascii_domain(domain: str, shown: str) -> str:
    """A domain as name servers know it.

    Python's codec follows the older rules, which read some letters as others (`ß` as `ss`): such a
    domain would be another one, so only what reads back as it was written is taken.
    """
    written = unicodedata.normalize("NFC", domain).lower().rstrip(".")
    try:
        plain = written.encode("idna").decode("ascii")
        same = written.isascii() or plain.encode("ascii").decode("idna") == written
    except UnicodeError:
        same = False
    if not same or not all(_LABEL.fullmatch(each) for each in plain.split(".")):
        raise LakeError(
            f"The domain of {shown} can't be written in ASCII without doubt. Write it in its "
            "xn-- form, or correct it."
        )
    return plain

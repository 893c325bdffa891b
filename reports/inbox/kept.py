"""The mails that the inbox has taken, one file each, the newest first.

In: the bytes that a client handed over. Out: files `<time>-<hash>.eml`, read back as mails.
"""

import email
import email.policy
import hashlib
import os
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

from lakehouse.settings import Settings

MOST = 500
"""Older mails beyond these are deleted."""
_NAME = re.compile(r"\d{8}T\d{12}-[0-9a-f]{12}")


@dataclass(frozen=True)
class Kept:
    """A mail of the inbox; `name` is its file's without the ending."""

    name: str
    mail: EmailMessage

    def header(self, name: str) -> str:
        return str(self.mail.get(name, ""))


def folder(settings: Settings) -> Path:
    return settings.mail_dir / "inbox"


def keep(mail: bytes, *, settings: Settings) -> None:
    """Write a mail to disk, whole, before the client hears that it was taken."""
    place = folder(settings)
    place.mkdir(parents=True, exist_ok=True, mode=0o700)
    now = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")
    name = f"{now}-{hashlib.sha256(mail).hexdigest()[:12]}"
    draft = place / f".{name}.draft"
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:
        stream.write(mail)
        stream.flush()
        os.fsync(stream.fileno())
    draft.replace(place / f"{name}.eml")
    for old in sorted(place.glob("*.eml"), reverse=True)[MOST:]:
        old.unlink(missing_ok=True)


def mails(settings: Settings) -> list[Kept]:
    """All mails, the newest first."""
    files = sorted(folder(settings).glob("*.eml"), reverse=True)
    return [_read(path) for path in files]


def mail(name: str, *, settings: Settings) -> Kept | None:
    """One mail by its name; None where there is none."""
    path = folder(settings) / f"{name}.eml"
    return _read(path) if _NAME.fullmatch(name) and path.is_file() else None


def _read(path: Path) -> Kept:
    found = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    return Kept(path.stem, found)

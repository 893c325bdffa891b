"""The outbox: every mail that is to go out or went, one row by (report, period, recipient).

In: finished mails. Out: rows whose state is on disk before the step that it names. A key is queued
once, whoever asks how often; its bytes, and so its Message-ID, never change.

| state | means | next |
|---|---|---|
| waiting | never handed over; `detail` has the last refusal | sent at the next delivery |
| sending | a dialogue is under way; the end of the mail is not written | waiting, when it died |
| ending | the end of the mail may be written, no answer yet | unknown, when it died |
| sent, refused | the server's last word | none |
| unknown | the connection or we broke between end and answer | none by itself: `release` |
| expired | nothing took it for `EXPIRES_DAYS` days | none by itself: `release` |
"""

import contextlib
import hashlib
import os
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any, Literal

from lakehouse.errors import LakeError
from lakehouse.settings import Settings
from lakehouse.state import claim
from reports.mailer import Outcome

State = Literal["waiting", "sending", "ending", "sent", "refused", "unknown", "expired"]
FILE = "outbox.sqlite"
EXPIRES_DAYS = 5
"""As long as RFC 5321 (4.5.4.1) asks a client to try."""

_SCHEMA = """create table if not exists mails (
  report text not null, period text not null, recipient text not null,
  state text not null, detail text not null default '', attempts integer not null default 0,
  message_id text not null, subject text not null, sender text not null, gold_run text not null,
  facts text not null, file text not null, queued_at text not null, changed_at text not null,
  primary key (report, period, recipient)) strict"""
_COLUMNS = """report, period, recipient, state, detail, attempts, message_id, subject, sender,
  gold_run, facts, file, queued_at, changed_at"""
_KEY = "report = :report and period = :period and recipient = :recipient"


@dataclass(frozen=True)
class Key:
    """What a mail is: `report` such as daily, `period` such as its day, `recipient` an address."""

    report: str
    period: str
    recipient: str


@dataclass(frozen=True)
class Entry:
    """One row. Times are UTC, RFC 3339; `facts` is JSON of what the mail said; `file` its bytes."""

    key: Key
    state: State
    detail: str
    attempts: int
    message_id: str
    subject: str
    sender: str
    gold_run: str
    facts: str
    file: Path
    queued_at: str
    changed_at: str

    def mail(self) -> bytes:
        return self.file.read_bytes()


def message_id(key: Key, *, domain: str, version: str) -> str:
    """The same for every attempt at a mail, and for the same mail made again of the same gold."""
    text = f"{key.report}\x00{key.period}\x00{key.recipient}\x00{version}"
    return f"<{hashlib.sha256(text.encode()).hexdigest()[:40]}@{domain}>"


class Outbox:
    """Rows of one state folder. Safe between processes; each change is on disk when it returns."""

    def __init__(self, connection: sqlite3.Connection, folder: Path) -> None:
        self._rows, self._folder = connection, folder

    def queue(
        self,
        key: Key,
        mail: EmailMessage,
        *,
        gold_run: str = "",
        facts: str = "{}",
    ) -> bool:
        """Put a finished mail in line; sender, subject and id are those of its headers.

        Returns: False where the key is known, in whatever state: nothing is changed then.
        """
        if self.entry(key) is not None:
            return False
        content = mail.as_bytes()
        name = hashlib.sha256(content).hexdigest()
        path = self._folder / "messages" / name[:2] / f"{name}.eml"
        _write(path, content)
        values = {
            **vars(key),
            "message_id": str(mail["Message-ID"]),
            "subject": str(mail["Subject"]),
            "sender": mail["From"].addresses[0].addr_spec,
            "gold_run": gold_run,
            "facts": facts,
            "file": path.relative_to(self._folder).as_posix(),
            "now": _now(),
        }
        cursor = self._rows.execute(
            f"""insert into mails ({_COLUMNS}) values (:report, :period, :recipient, 'waiting', '',
              0, :message_id, :subject, :sender, :gold_run, :facts, :file, :now, :now)
            on conflict do nothing""",
            values,
        )
        return cursor.rowcount == 1

    def entry(self, key: Key) -> Entry | None:
        found = self._select(_KEY, vars(key))
        return found[0] if found else None

    def entries(self, *states: State, report: str | None = None, most: int = -1) -> list[Entry]:
        """Rows in these states, or in all, newest first."""
        marks = ", ".join(f"'{each}'" for each in states)
        where = f"state in ({marks})" if states else "true"
        values = {"own": report, "most": most}
        return self._select(
            f"{where} and (:own is null or report = :own) "
            "order by queued_at desc, report, recipient limit :most",
            values,
        )

    def begin(self, key: Key) -> bool:
        """waiting -> sending. Returns: whether it was this call that took it."""
        return self._move(key, "waiting", "sending", extra=", attempts = attempts + 1")

    def ending(self, key: Key) -> None:
        """sending -> ending, before the end of the mail is written."""
        if not self._move(key, "sending", "ending"):
            raise LakeError(f"The mail {key} is no longer being sent by this process.")

    def finish(self, key: Key, outcome: Outcome) -> None:
        """What became of an attempt."""
        state = "waiting" if outcome.verdict == "later" else outcome.verdict
        for before in ("sending", "ending"):
            if self._move(key, before, state, detail=outcome.detail):
                return

    def recover(self) -> list[Key]:
        """Settle what a dead sender left, and what waited too long; only the sender may call it.

        Returns: the mails of which a person must know now.
        """
        said = {
            "sending": ("waiting", "the sender stopped before the mail was handed over"),
            "ending": ("unknown", "the sender stopped before the server's answer was on record"),
        }
        settled: list[Key] = []
        for before, (after, detail) in said.items():
            for each in self.entries(before):  # type: ignore[arg-type]
                self._move(each.key, before, after, detail=detail)
                settled += [each.key] if after == "unknown" else []
        oldest = (datetime.now(UTC) - timedelta(days=EXPIRES_DAYS)).isoformat()
        for each in self.entries("waiting"):
            if each.attempts and each.queued_at < oldest:
                detail = f"given up after {EXPIRES_DAYS} days; last: {each.detail}"
                self._move(each.key, "waiting", "expired", detail=detail)
                settled.append(each.key)
        return settled

    def withdraw(self, report: str, detail: str) -> None:
        """Leave mails of a report that wait where they are: what they say is not true any more."""
        for each in self.entries("waiting", report=report):
            self._move(each.key, "waiting", "expired", detail=detail)

    def release(self, key: Key) -> bool:
        """Have a mail that was refused, expired or of unknown fate sent again, as it is."""
        return any(
            self._move(
                key, before, "waiting", detail="released by a person", extra=", queued_at = :now"
            )
            for before in ("unknown", "refused", "expired")
        )

    def _move(
        self, key: Key, before: str, after: str, *, detail: str | None = None, extra: str = ""
    ) -> bool:
        values = {**vars(key), "before": before, "after": after, "detail": detail, "now": _now()}
        cursor = self._rows.execute(
            f"""update mails set state = :after, detail = coalesce(:detail, detail),
              changed_at = :now{extra} where {_KEY} and state = :before""",
            values,
        )
        return cursor.rowcount == 1

    def _select(self, where: str, values: Mapping[str, object]) -> list[Entry]:
        rows = self._rows.execute(
            f"select {_COLUMNS} from mails where {where}", dict(values)
        ).fetchall()
        return [_entry(row, self._folder) for row in rows]


def is_there(settings: Settings) -> bool:
    """Whether a mail was ever put in line."""
    return (settings.mail_dir / FILE).is_file()


@contextlib.contextmanager
def open_outbox(settings: Settings) -> Iterator[Outbox]:
    """The outbox of this state folder, made where there is none.

    Raises:
        LakeError: It can't be read or written.
    """
    claim(settings)
    path = settings.mail_dir / FILE
    try:
        settings.mail_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        connection = sqlite3.connect(path, timeout=30.0, isolation_level=None)
    except (OSError, sqlite3.Error) as error:
        raise LakeError(f"The outbox {path} can't be opened ({error}).") from error
    try:
        connection.execute("pragma synchronous = full")
        connection.execute(_SCHEMA)
        yield Outbox(connection, settings.mail_dir)
    except sqlite3.Error as error:
        raise LakeError(
            f"The outbox {path} can't be used ({error}). Restore it from a backup; without it, it "
            "is not known what was sent."
        ) from error
    finally:
        connection.close()


def _entry(row: tuple[Any, ...], folder: Path) -> Entry:
    return Entry(Key(*row[:3]), *row[3:11], folder / row[11], *row[12:])  # type: ignore[call-arg]


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def _write(path: Path, content: bytes) -> None:
    """A file that only its owner reads, on disk when this returns; its name tells its content."""
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f".{path.name}.{os.getpid()}.draft")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    draft.replace(path)

"""What alerts remember: incidents, their events, and notices on their way, in one SQLite file.

In: transitions. Out: rows in `ops/alerts.sqlite`. Every check is one transaction, so a crash leaves
the state of before or after it, and an index holds that a trouble has one open incident at most.
"""

import contextlib
import json
import sqlite3
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from lakehouse.errors import LakeError
from lakehouse.settings import Settings
from lakehouse.state import claim

SCHEMA = """
create table if not exists incidents (
  id integer primary key, rule text not null, subject text not null, state text not null
    check (state in ('open', 'acknowledged', 'resolved')),
  severity text not null, owners text not null, summary text not null, facts text not null,
  fired_at text not null, acknowledged_at text, acknowledged_by text, note text,
  escalated_at text, resolved_at text, resolution text
);
create unique index if not exists one_open on incidents (rule, subject) where state <> 'resolved';
create table if not exists events (
  id integer primary key, incident integer not null references incidents, at text not null,
  kind text not null, text text not null
);
create table if not exists watched (
  rule text not null, subject text not null, bad_since text not null, primary key (rule, subject)
);
create table if not exists judged (rule text primary key, day text not null);
create table if not exists notices (
  id text primary key, incident integer not null references incidents, kind text not null,
  channel text not null, target text not null, due_at text not null,
  state text not null check (state in ('due', 'sent', 'failed', 'withdrawn')),
  batch text, attempts integer not null default 0, sent_at text, error text not null default ''
);
"""


@dataclass(frozen=True)
class Incident:
    """One trouble from its first alarm to its end. Times are UTC; `facts` is what was judged."""

    id: int
    rule: str
    subject: str
    state: str
    severity: str
    owners: str
    summary: str
    facts: Mapping[str, Any]
    fired_at: datetime
    acknowledged_at: datetime | None
    acknowledged_by: str
    note: str
    escalated_at: datetime | None
    resolved_at: datetime | None
    resolution: str


@dataclass(frozen=True)
class Notice:
    """A message about one incident to one target, due or done. `kind`: what happened to it.

    Notices that are due together go to a target as one batch, which stays the same at a retry.
    """

    id: str
    incident: int
    kind: str
    channel: str
    target: str
    due_at: datetime
    state: str
    batch: str
    attempts: int
    error: str


def store_path(settings: Settings) -> Path:
    """Where alerts are remembered."""
    return settings.home / "ops" / "alerts.sqlite"


@contextlib.contextmanager
def open_store(settings: Settings) -> Iterator["Store"]:
    """The store of this state folder, made where there is none yet.

    Raises:
        LakeError: It can't be opened or read.
    """
    claim(settings)
    path = store_path(settings)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.closing(_connect(str(path))) as connection:
            yield Store(connection)
    except (OSError, sqlite3.DatabaseError) as error:
        raise LakeError(
            f"The alerts in {path} can't be read or written ({error}). Move the file away: the "
            "next check makes a new one, without the history."
        ) from error


def memory_store() -> "Store":
    """A store that keeps nothing, for a replay."""
    return Store(_connect(":memory:"))


class Store:
    """Reads and writes alerts; use `transaction` around what belongs together."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """All writes inside, or none; a second process waits until the first one is done."""
        self._connection.execute("begin immediate")
        try:
            yield
        except BaseException:
            self._connection.execute("rollback")
            raise
        self._connection.execute("commit")

    def open_incidents(self) -> dict[tuple[str, str], Incident]:
        """Incidents that are not resolved, by rule and subject."""
        rows = self._connection.execute(
            "select * from incidents where state <> 'resolved' order by id"
        )
        return {(each.rule, each.subject): each for each in map(_incident, rows)}

    def incidents(self, *, limit: int = -1) -> list[Incident]:
        """All incidents, newest first."""
        rows = self._connection.execute("select * from incidents order by id desc limit ?", [limit])
        return [_incident(each) for each in rows]

    def incident(self, number: int) -> Incident | None:
        row = self._connection.execute("select * from incidents where id = ?", [number]).fetchone()
        return _incident(row) if row else None

    def events(self, incident: int) -> list[tuple[datetime, str, str]]:
        """Time, kind and text of what happened to an incident, in order."""
        rows = self._connection.execute(
            "select at, kind, text from events where incident = ? order by id", [incident]
        )
        return [(_time(row["at"]), row["kind"], row["text"]) for row in rows]

    def fire(
        self,
        *,
        rule: str,
        subject: str,
        severity: str,
        owners: str,
        summary: str,
        facts: Mapping[str, Any],
        now: datetime,
    ) -> int:
        """Open an incident. Raises: sqlite3.IntegrityError where the trouble has one already."""
        cursor = self._connection.execute(
            "insert into incidents (rule, subject, state, severity, owners, summary, facts, "
            "fired_at) values (?, ?, 'open', ?, ?, ?, ?, ?)",
            [rule, subject, severity, owners, summary, json.dumps(facts), _text(now)],
        )
        number = int(cursor.lastrowid or 0)
        self._tell(number, "fired", summary, now)
        return number

    def acknowledge(self, incident: int, *, by: str, note: str, now: datetime) -> None:
        self._connection.execute(
            "update incidents set state = 'acknowledged', acknowledged_at = ?, "
            "acknowledged_by = ?, note = ? where id = ? and state = 'open'",
            [_text(now), by, note, incident],
        )
        self._tell(incident, "acknowledged", f"by {by}{': ' if note else ''}{note}", now)

    def escalate(self, incident: int, *, text: str, now: datetime) -> None:
        self._connection.execute(
            "update incidents set escalated_at = ? where id = ?", [_text(now), incident]
        )
        self._tell(incident, "escalated", text, now)

    def resolve(self, incident: int, *, resolution: str, now: datetime) -> None:
        self._connection.execute(
            "update incidents set state = 'resolved', resolved_at = ?, resolution = ? where id = ?",
            [_text(now), resolution, incident],
        )
        self._tell(incident, "resolved", resolution, now)

    def bad_since(self, rule: str, subject: str, *, now: datetime) -> datetime:
        """Since when the subject is bad without a break; from now on where it was not."""
        self._connection.execute(
            "insert or ignore into watched values (?, ?, ?)", [rule, subject, _text(now)]
        )
        row = self._connection.execute(
            "select bad_since from watched where rule = ? and subject = ?", [rule, subject]
        ).fetchone()
        return _time(row["bad_since"])

    def not_bad(self, rule: str, subject: str) -> None:
        self._connection.execute(
            "delete from watched where rule = ? and subject = ?", [rule, subject]
        )

    def judged_to(self, rule: str) -> date | None:
        """The last day that a daily rule has judged."""
        row = self._connection.execute("select day from judged where rule = ?", [rule]).fetchone()
        return date.fromisoformat(row["day"]) if row else None

    def set_judged(self, rule: str, day: date) -> None:
        if self.judged_to(rule) != day:  # a file that stays the same tells no screen of news
            self._connection.execute(
                "insert or replace into judged values (?, ?)", [rule, day.isoformat()]
            )

    def add_notice(
        self, notice_id: str, *, incident: int, kind: str, channel: str, target: str, due: datetime
    ) -> None:
        self._connection.execute(
            "insert into notices (id, incident, kind, channel, target, due_at, state) "
            "values (?, ?, ?, ?, ?, ?, 'due')",
            [notice_id, incident, kind, channel, target, _text(due)],
        )

    def notices(self, incident: int | None = None) -> list[Notice]:
        """All notices, or those of one incident, in order of their due time."""
        rows = self._connection.execute(
            "select * from notices where ?1 is null or incident = ?1 order by due_at, rowid",
            [incident],
        )
        return [_notice(each) for each in rows]

    def due_batches(self, now: datetime) -> dict[str, list[Notice]]:
        """Due notices by batch; those without one get one per channel and target."""
        with self.transaction():
            fresh = self._connection.execute(
                "select distinct channel, target from notices "
                "where state = 'due' and batch is null and due_at <= ?",
                [_text(now)],
            ).fetchall()
            for row in fresh:
                self._connection.execute(
                    "update notices set batch = ? where state = 'due' and batch is null "
                    "and due_at <= ? and channel = ? and target = ?",
                    [uuid.uuid4().hex, _text(now), row["channel"], row["target"]],
                )
        rows = self._connection.execute(
            "select * from notices where state = 'due' and due_at <= ? order by due_at, rowid",
            [_text(now)],
        )
        batches: dict[str, list[Notice]] = {}
        for each in map(_notice, rows):
            batches.setdefault(each.batch, []).append(each)
        return batches

    def withdraw_held(self, incident: int, *, now: datetime) -> int:
        """Take back notices that still wait for the end of the quiet hours; returns how many."""
        return self._connection.execute(
            "update notices set state = 'withdrawn' where incident = ? and state = 'due' "
            "and batch is null and due_at > ?",
            [incident, _text(now)],
        ).rowcount

    def targets_told(self, incident: int) -> list[tuple[str, str]]:
        """Channels and targets that were told of an incident, or will be."""
        rows = self._connection.execute(
            "select distinct channel, target from notices where incident = ? "
            "and state <> 'withdrawn' order by 1, 2",
            [incident],
        )
        return [(row["channel"], row["target"]) for row in rows]

    def set_sent(self, batch: str, *, now: datetime) -> None:
        self._connection.execute(
            "update notices set state = 'sent', sent_at = ?, attempts = attempts + 1, error = '' "
            "where batch = ? and state = 'due'",
            [_text(now), batch],
        )

    def set_failed(self, batch: str, *, error: str, again_at: datetime | None) -> None:
        """Try a batch again at a time, or never."""
        self._connection.execute(
            "update notices set state = ?, due_at = coalesce(?, due_at), attempts = attempts + 1, "
            "error = ? where batch = ? and state = 'due'",
            [
                "failed" if again_at is None else "due",
                None if again_at is None else _text(again_at),
                error,
                batch,
            ],
        )

    def _tell(self, incident: int, kind: str, text: str, now: datetime) -> None:
        self._connection.execute(
            "insert into events (incident, at, kind, text) values (?, ?, ?, ?)",
            [incident, _text(now), kind, text],
        )


def _connect(path: str) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=60, isolation_level=None)
    connection.row_factory = sqlite3.Row
    connection.execute("pragma foreign_keys = on")
    connection.execute("pragma synchronous = full")
    connection.executescript(SCHEMA)
    return connection


def _incident(row: sqlite3.Row) -> Incident:
    return Incident(
        row["id"],
        row["rule"],
        row["subject"],
        row["state"],
        row["severity"],
        row["owners"],
        row["summary"],
        json.loads(row["facts"]),
        _time(row["fired_at"]),
        _time_or_none(row["acknowledged_at"]),
        row["acknowledged_by"] or "",
        row["note"] or "",
        _time_or_none(row["escalated_at"]),
        _time_or_none(row["resolved_at"]),
        row["resolution"] or "",
    )


def _notice(row: sqlite3.Row) -> Notice:
    return Notice(
        row["id"],
        row["incident"],
        row["kind"],
        row["channel"],
        row["target"],
        _time(row["due_at"]),
        row["state"],
        row["batch"] or "",
        row["attempts"],
        row["error"],
    )


def _text(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds")


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _time_or_none(text: str | None) -> datetime | None:
    return None if text is None else _time(text)

"""Days of the shop in silver: the day of a row, and the rows of a range of days.

In: a first and a last day. Out: SQL conditions for queries and for the replacement of rows.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from lakehouse.contracts.tables import ORDER_LINES, WEB_EVENTS, Table
from lakehouse.errors import LakeError
from lakehouse.shop import shop


@dataclass(frozen=True)
class Days:
    """Days of the shop, both inclusive; no first and no last day means everything, undated too."""

    first: date | None = None
    last: date | None = None

    def __post_init__(self) -> None:
        if self.first is not None and self.last is not None and self.first > self.last:
            raise LakeError(
                f"The first day {self.first} lies after the last day {self.last}: swap them."
            )

    @property
    def is_everything(self) -> bool:
        return self.first is None and self.last is None

    def covers(self, other: "Days") -> bool:
        """Whether every record of `other` is one of these days, too."""
        starts = self.first is None or (other.first is not None and self.first <= other.first)
        ends = self.last is None or (other.last is not None and other.last <= self.last)
        return starts and ends

    def hold(self, day: str) -> str:
        """SQL: whether a day is one of these; false for an unknown one, but all mean everything."""
        if self.is_everything:
            return "true"
        parts = _between(day, _date(self.first), _date(self.last))
        return f"coalesce({' and '.join(parts)}, false)"

    def rows_of(self, table: Table) -> str:
        """SQL condition that selects a table's rows of these days."""
        if table is ORDER_LINES:
            months = _between("order_month", _text(self.first, "%Y-%m"), _text(self.last, "%Y-%m"))
            days = _between("order_date", _date(self.first), _date(self.last))
            return " and ".join([*months, *days]) or "true"
        if table is WEB_EVENTS:
            days = _between("event_date", _date(self.first), _date(self.last))
            return " and ".join(days) or "true"
        until = None if self.last is None else self.last + timedelta(days=1)
        parts = [f"changed_at >= {_midnight(self.first)}"] if self.first else []
        parts += [f"changed_at < {_midnight(until)}"] if until else []
        return " and ".join(parts) or "true"

    def facts(self) -> dict[str, str | None]:
        """As the ledger keeps them."""
        return {"from": _iso(self.first), "to": _iso(self.last)}

    def __str__(self) -> str:
        if self.is_everything:
            return "all days"
        return f"{self.first or 'the first day'} to {self.last or 'the last day'}"


def days_between(first: str | None, last: str | None) -> Days:
    """Days as the ledger kept them."""
    return Days(
        date.fromisoformat(first) if first else None, date.fromisoformat(last) if last else None
    )


def day_of(table: Table) -> str:
    """SQL of the shop's day of a table's row."""
    if table is ORDER_LINES:
        return "order_date"
    if table is WEB_EVENTS:
        return "event_date"
    return f"(changed_at at time zone '{shop().time_zone}')::date"


def _between(name: str, first: str | None, last: str | None) -> list[str]:
    return [
        *([f"{name} >= {first}"] if first is not None else []),
        *([f"{name} <= {last}"] if last is not None else []),
    ]


def _text(day: date | None, form: str) -> str | None:
    return None if day is None else f"'{day.strftime(form)}'"


def _date(day: date | None) -> str | None:
    return None if day is None else f"date'{day.isoformat()}'"


def _midnight(day: date | None) -> str:
    assert day is not None  # noqa: S101 - the caller asks only for days there are
    at = datetime.combine(day, time.min, shop().zone).astimezone(UTC)
    return f"'{at:%Y-%m-%dT%H:%M:%SZ}'"


def _iso(day: date | None) -> str | None:
    return None if day is None else day.isoformat()

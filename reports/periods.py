"""Which days a report speaks of, and which it compares them with.

In: the days of gold's calendar. Out: a `Period`: its days, those before, and the same weekdays of
the weeks before. A period is chosen once it is over: no mail speaks of half a day.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Literal

from lakehouse.contracts.gold import DIM_DATES
from lakehouse.errors import LakeError
from lakehouse.shop import shop

if TYPE_CHECKING:
    import duckdb

Report = Literal["daily", "weekly"]
Span = tuple[date, date]
"""First and last day, both included."""
WEEKS_BACK = 4


class NothingToReport(LakeError):
    """The shop has no period of that kind that is over yet."""


@dataclass(frozen=True)
class Calendar:
    """Days of the shop, without those far from all others; `trading` are those with an order."""

    first: date
    last: date
    trading: frozenset[date]


@dataclass(frozen=True)
class Period:
    """What a report is of. `before` is the period before with an order; `usual` the like ones.

    A day is compared with the trading day before it, and with the same weekday of the last weeks in
    which it traded; a week with the week before, and with the weeks before that. A week that gold
    holds in part is compared with the same weekdays of the others.
    """

    report: Report
    start: date
    end: date
    before: Span | None
    usual: tuple[Span, ...]
    is_trading: bool
    is_whole: bool = True

    @property
    def key(self) -> str:
        """2011-12-09, or 2011-W49."""
        if self.report == "daily":
            return self.start.isoformat()
        year, week, _ = self.start.isocalendar()
        return f"{year}-W{week:02}"

    @property
    def span(self) -> Span:
        return self.start, self.end


def span_of(key: str) -> Span:
    """The days of a period by its key; of a week all seven."""
    if "-W" in key:
        year, _, week = key.partition("-W")
        start = date.fromisocalendar(int(year), int(week), 1)
        return start, start + timedelta(days=6)
    day = date.fromisoformat(key)
    return day, day


def read_calendar(cursor: "duckdb.DuckDBPyConnection") -> Calendar:
    """The shop's calendar. Raises: NothingToReport in an empty shop."""
    rows = cursor.execute(
        f"select date_day, is_trading_day from {DIM_DATES} where not is_outlier"
    ).fetchall()
    trading = frozenset(day for day, is_trading in rows if is_trading)
    if not trading:
        raise NothingToReport("Gold holds no order yet, so there is nothing to report.")
    return Calendar(min(day for day, _ in rows), max(day for day, _ in rows), trading)


def shop_today() -> date:
    """Today on the shop's clock."""
    return datetime.now(shop().zone).date()


def choose(report: Report, calendar: Calendar, *, day: date | None, today: date) -> Period:
    """The period of a day, or the last one that is over.

    Raises:
        LakeError: Gold holds nothing of that day, or the day is not over.
        NothingToReport: No period is over yet.
    """
    if day is not None:
        _check(day, calendar, today)
        return period_of(report, day, calendar)
    over = [each for each in calendar.trading if each < today]
    if report == "weekly":
        ended = min(calendar.last, today - timedelta(days=1))
        over = [each for each in over if _monday(each) + timedelta(days=6) <= ended]
    if not over:
        raise NothingToReport(
            f"No {'week' if report == 'weekly' else 'day'} with an order is over."
        )
    return period_of(report, max(over), calendar)


def period_of(report: Report, day: date, calendar: Calendar) -> Period:
    """The day, or the week that holds it, with what it is compared with."""
    return _week(day, calendar) if report == "weekly" else _day(day, calendar)


def _day(day: date, calendar: Calendar) -> Period:
    before = max((each for each in calendar.trading if each < day), default=None)
    same = sorted(
        (each for each in calendar.trading if each < day and each.weekday() == day.weekday()),
        reverse=True,
    )
    return Period(
        "daily",
        day,
        day,
        None if before is None else (before, before),
        tuple((each, each) for each in same[:WEEKS_BACK]),
        day in calendar.trading,
    )


def _week(day: date, calendar: Calendar) -> Period:
    start = _monday(day)
    end = min(start + timedelta(days=6), calendar.last)
    earlier = [
        (monday, monday + (end - start))
        for monday in (start - timedelta(weeks=back) for back in range(1, WEEKS_BACK + 1))
        if monday >= calendar.first
    ]
    traded = [each for each in earlier if _trades(each, calendar)]
    return Period(
        "weekly",
        start,
        end,
        earlier[0] if earlier else None,
        tuple(traded),
        _trades((start, end), calendar),
        end == start + timedelta(days=6),
    )


def _check(day: date, calendar: Calendar, today: date) -> None:
    if not calendar.first <= day <= calendar.last:
        raise LakeError(
            f"Gold holds nothing of {day}: it reaches from {calendar.first} to {calendar.last}. "
            "Choose a day in between with --date."
        )
    if day >= today:
        raise LakeError(f"{day} is not over yet on the shop's clock. Choose an earlier day.")


def _trades(span: Span, calendar: Calendar) -> bool:
    return any(each in calendar.trading for each in days_of(span))


def days_of(span: Span) -> Sequence[date]:
    """Every day of a span."""
    return [span[0] + timedelta(days=number) for number in range((span[1] - span[0]).days + 1)]


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())

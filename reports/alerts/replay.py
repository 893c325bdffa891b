"""All days of a history judged one after the other, as if each had been checked on its evening.

In: gold, rules, perhaps a planted outage. Out: how often each rule fired, and when. It uses the
check itself with a store in memory: nothing is sent or kept.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from decimal import Decimal

from lakehouse.shop import shop
from reports.alerts.check import Change, Explain, check
from reports.alerts.history import History
from reports.alerts.rules import RuleBook
from reports.alerts.store import memory_store

CHECKED_AT = time(23, 30)


@dataclass(frozen=True)
class Replayed:
    """What one rule did in a replay, each change with the day after which it came."""

    rule: str
    fired: tuple[tuple[date, str], ...]
    resolved: tuple[date, ...]
    days: int

    @property
    def per_thirty_days(self) -> float:
        return 30 * len(self.fired) / self.days if self.days else 0.0


def replay(
    history: History,
    book: RuleBook,
    *,
    first: date | None = None,
    last: date | None = None,
    explain: Explain | None = None,
) -> list[Replayed]:
    """Judge day after day by the daily rules; each day knows nothing of later ones."""
    daily = {name: rule for name, rule in book.rules.items() if rule.is_daily}
    one_day = RuleBook(rules=daily, closed=book.closed, judge_newest_day=True, quiet=None)
    days = [
        day
        for day in history.days
        if (first is None or day >= first) and (last is None or day <= last)
    ]
    changes: list[tuple[date, Change]] = []
    store = memory_store()
    for day in days:
        now = datetime.combine(day, CHECKED_AT, shop().zone)
        found = check(
            store,
            one_day,
            history=replace(history, last=day),
            readings={},
            now=now,
            explain=explain,
        )
        changes += [(day, each) for each in found]
    return [
        Replayed(
            name,
            tuple((day, e.summary) for day, e in changes if e.rule == name and e.kind == "fired"),
            tuple(day for day, e in changes if e.rule == name and e.kind == "resolved"),
            sum(history.was_open(day) for day in days),
        )
        for name in daily
    ]


def with_outage(history: History, days: Iterable[date], *, left: float) -> History:
    """The history with a part (0 to 1) of each amount and count on some days: a planted fault."""
    hit = set(days)
    counted: Sequence[str] = (
        "order_count",
        "gross_revenue",
        "net_revenue",
        "item_quantity",
        "active_customers",
        "new_customers",
    )
    values = {
        kpi: {
            day: _part(value, left) if day in hit and kpi in counted else value
            for day, value in course.items()
        }
        for kpi, course in history.values.items()
    }
    gone = hit if left == 0 else set[date]()
    sources = {name: days - gone for name, days in history.source_days.items()}
    return History(values, sources, history.closed, foreseen=history.foreseen)


def _part(value: Decimal, left: float) -> Decimal:
    return (value * Decimal(str(left))).quantize(Decimal("0.0001"))

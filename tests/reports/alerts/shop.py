"""A small shop for the tests of alerts: courses of KPIs by hand, rules by hand, a clock by hand."""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from reports.alerts.history import History
from reports.alerts.rules import Rule, RuleBook

FIRST = date(2012, 1, 2)
"""A Monday."""


def day(number: int) -> date:
    return FIRST + timedelta(days=number)


def at(number: int, hour: int = 6, minute: int = 0) -> datetime:
    """A moment of the morning after day `number`."""
    return datetime(2012, 1, 3, hour, minute, tzinfo=UTC) + timedelta(days=number)


def course(
    days: int,
    *,
    orders: Callable[[int], int] = lambda _: 100,
    changes: Mapping[int, int] = {},
    closed: frozenset[date] = frozenset(),
) -> History:
    """Orders of each day, none on Saturdays; revenue is ten pounds an order."""
    counts = {
        day(n): changes.get(n, 0 if day(n).weekday() == 5 else orders(n)) for n in range(days)
    }
    values = {
        "order_count": {each: Decimal(count) for each, count in counts.items()},
        "gross_revenue": {each: Decimal(count * 10) for each, count in counts.items()},
    }
    sold = frozenset(each for each, count in counts.items() if count)
    return History(values, {"erp": sold} if sold else {}, closed)


def rule(**changes: object) -> Rule:
    fields: dict[str, object] = {
        "kind": "change",
        "kpi": "order_count",
        "group": "sales",
        "severity": "critical",
        "meaning": "Fewer orders.",
        "remedy": "Look.",
    }
    return Rule(**{**fields, **changes})  # type: ignore[arg-type]


def book(quiet: tuple[object, object] | None = None, /, **rules: Rule) -> RuleBook:
    return RuleBook(rules=rules, closed=frozenset(), judge_newest_day=True, quiet=quiet)  # type: ignore[arg-type]

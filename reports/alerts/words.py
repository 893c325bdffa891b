"""What an alert says: one sentence of a judgement, and the text of a message.

In: judgements, incidents. Out: plain text.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from lakehouse import shop_format
from lakehouse.shop_format import rounded
from reports.alerts.judging import Judgement
from reports.alerts.rules import Rule
from reports.foreign_texts import plain


def figure(value: float | None, unit: str) -> str:
    """A figure as the shop writes it: money, rates in per cent, others with one decimal at most."""
    if value is None:
        return "no value"
    exact = Decimal(repr(value))
    if unit == "money":
        return shop_format.money(exact)
    if unit == "rate":
        return shop_format.percent(exact)
    written = shop_format.number(exact, places=0 if rounded(exact, 1) == int(exact) else 1)
    return written if unit in ("count", "") else f"{written} {unit}"


def summary_of(rule: Rule, found: Judgement) -> str:
    """One sentence: subject, day, value, what was expected."""
    subject = plain(found.subject).replace("_", " ")
    day = f" of {when(found.day)}" if found.day else ""
    value = figure(found.value, found.unit)
    if rule.kind in ("change", "anomaly") or (rule.kpi and found.expected is not None):
        against = _against(found)
        return f"{subject}{day}: {value}, expected {figure(found.expected, found.unit)}{against}"
    limit = rule.fire_above if rule.fire_above is not None else rule.fire_below
    return f"{subject}{day}: {value}, limit {figure(limit, found.unit)}" + (
        f" ({plain(found.detail)})" if found.detail else ""
    )


def _against(found: Judgement) -> str:
    if found.value is None or not found.expected or found.unit == "rate":
        return ""
    share = Decimal(repr(found.value / found.expected - 1))
    interval = (
        f", 95% between {figure(found.low, found.unit)} and {figure(found.high, found.unit)}"
        if found.low is not None and found.high is not None
        else ""
    )
    change = shop_format.percent(share, places=0)
    return f" ({'+' if share > 0 else ''}{change}{interval})"


def when(day: date) -> str:
    """A day with its weekday: Fri 9 Dec 2011."""
    return f"{shop_format.weekday(day)} {shop_format.day(day)}"


def contributor_line(each: Mapping[str, Any], unit: str) -> str:
    """One contributor: who, how much, and how much before."""
    is_money = "money" in (unit, each.get("unit"))
    own = "money" if is_money else "count"
    return (
        f"{each['dimension']} {plain(str(each['name']))}: {figure(float(each['value']), own)}, "
        f"before {figure(float(each['before']), own)}"
    )


def title_of(kinds: Sequence[str], summaries: Sequence[str], severities: Sequence[str]) -> str:
    """The subject line of a message about one or several incidents."""
    word = {"fired": "Alert", "resolved": "Resolved", "escalated": "Still open"}[kinds[0]]
    if len(kinds) == 1:
        return f"{word}: {summaries[0]}"
    fired = sum(kind != "resolved" for kind in kinds)
    worst = "critical" if "critical" in severities else "warning"
    parts = [f"{fired} alerts ({worst})" if fired else "", f"{len(kinds) - fired} resolved"]
    return ", ".join(part for part in parts if part and not part.startswith("0 "))

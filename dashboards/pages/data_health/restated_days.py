"""The card of restated days on Data health: published KPIs that late records changed.

In: a `LastRun`. Out: a component; no data access.
"""

from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from dash import html

from dashboards import components, formats
from dashboards.queries.last_run import LastRun, Restated
from lakehouse import shop_format

_COLUMNS = ("Day", "KPI", "Before", "After")


def restated_days(run: LastRun) -> Any:
    """What the publish in service changed of what was published before; nothing if unknown."""
    found = run.restatements
    if found is None:
        return None
    rows = [_row(each) for each in found.rows]
    content: list[Any] = []
    if rows:
        content.append(components.plain_table(_COLUMNS, rows, label="Restated KPIs"))
        if len(rows) < found.figures:
            content.append(
                html.P(
                    f"The first {len(rows)} of {formats.count(found.figures)}.", className="muted"
                )
            )
    else:
        content.append(html.P("The figures in service restate nothing published before."))
    if found.all_figures:
        kpis, days = formats.count(found.all_figures), formats.count(found.all_days)
        history = f"All publishes together: {kpis} KPIs of {days} days. "
        content.append(
            html.P([history, html.Code("lake restatements"), " lists them."], className="muted")
        )
    return components.card(
        "Restated days",
        content,
        aside=components.badge(
            f"{formats.count(found.days)} day{'s' * (found.days != 1)}",
            "warn" if found.days else "good",
        ),
        note="Late records change days that were published before. Each change is kept.",
        id="restated-card",
    )


def _row(each: Restated) -> tuple[str, ...]:
    try:
        day = formats.day(date.fromisoformat(each.kpi_date))
    except ValueError:
        day = each.kpi_date
    values = [exact(value) if value else formats.NOTHING for value in (each.before, each.after)]
    unit = f" ({each.unit})" if each.unit else ""
    return day, f"{each.kpi.replace('_', ' ')}{unit}", *values


def exact(text: str) -> str:
    """A figure with every decimal that it was published with."""
    try:
        value = Decimal(text)
    except InvalidOperation:
        return text
    if not value.is_finite():
        return text
    return shop_format.number(value, places=max(0, -int(value.as_tuple().exponent)))

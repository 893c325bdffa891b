"""Lifetime value: what customers are expected to buy in the next 13 weeks.

In: the lifetime values of the last scoring. Out: the page, filled by one callback.
Run standalone: `python -m dashboards.app`, then open /lifetime-value.
"""

from typing import Any

import pandas as pd
from dash import html

from dashboards import components, formats, one_part, scored
from dashboards.published import PublishedGold
from dashboards.queries import customer_scores
from dashboards.registry import Page
from lakehouse import shop_format
from lakehouse.settings import Settings

PAGE = Page("/lifetime-value", "Lifetime value", group="Customers", icon="coin")
_SHOWN = 20
_ALL_STAY = 0.98
"""Mean chance to be alive from which the model sees nobody leave."""


def layout() -> Any:
    """The page without content; a callback fills it."""
    return one_part.layout(PAGE.title, "What will each customer still buy?", "lifetime-values")


def register(app: Any, gold: PublishedGold) -> None:
    """Connect the page to the last scoring."""
    one_part.register(app, "lifetime-values", lambda: filled(gold.settings))


def filled(settings: Settings) -> Any:
    """The page for the scores as they are now."""
    frame = customer_scores.lifetime_values(settings)
    return scored.nothing_yet() if frame.empty else body(frame)


def body(frame: pd.DataFrame) -> Any:
    """Doubts, key figures, value by tenth, and the most valuable customers."""
    return html.Div(
        [
            _doubts(frame),
            _key_figures(frame),
            html.Div([_tenths(frame), _spread(frame)], className="halves"),
            _customers(frame),
            scored.origin(frame),
        ],
        className="stack",
    )


def _doubts(frame: pd.DataFrame) -> Any:
    if frame["alive_chance"].mean() < _ALL_STAY:
        return None
    return components.banner(
        "warn",
        "The model sees no customer leave: the history is too short to tell a long pause from an "
        "end. Read the order of the customers, not the size of a single figure, and see Churn for "
        "who stays away.",
    )


def _key_figures(frame: pd.DataFrame) -> Any:
    weeks = frame["horizon_weeks"].iloc[0]
    best = customer_scores.by_tenth(frame, "expected_amount").iloc[0]
    total = frame["expected_amount"].sum()
    return html.Div(
        [
            components.kpi(
                "Expected revenue",
                formats.estimate(total),
                hint=f"of known customers, {weeks:g} weeks",
            ),
            components.kpi(
                "Expected purchase days",
                formats.count(round(frame["expected_purchase_days"].sum())),
                hint=f"in {weeks:g} weeks",
            ),
            components.kpi(
                "Best tenth",
                scored.percent(best["total"] / total if total else 0.0),
                hint="of the expected revenue",
            ),
        ],
        className="kpis",
    )


def _tenths(frame: pd.DataFrame) -> Any:
    tenths = customer_scores.by_tenth(frame, "expected_amount")
    longest = max(tenths["total"].max(), 1e-9)
    rows = [
        (
            f"Tenth {row.tenth + 1}",
            f"{formats.count(row.customers)} customers",
            formats.estimate(row.total),
            f"{formats.estimate(row.average)} each",
            row.total / longest,
        )
        for row in scored.rows(tenths)
    ]
    return components.card(
        "Value by tenth",
        components.bars(rows, label="Expected revenue by tenth of the customers"),
        note="Customers in the order of their expected revenue.",
    )


def _spread(frame: pd.DataFrame) -> Any:
    repeats = frame["repeat_day_count"]
    kinds = (
        ("Bought once", repeats == 0),
        ("Came back once or twice", (repeats > 0) & (repeats < 3)),
        ("Came back 3 to 9 times", (repeats >= 3) & (repeats < 10)),
        ("Came back more often", repeats >= 10),
    )
    values = [(name, frame[own]) for name, own in kinds]
    longest = max((own["expected_amount"].sum() for _, own in values), default=1.0) or 1.0
    rows = [
        (
            name,
            f"{formats.count(len(own))} customers",
            formats.estimate(own["expected_amount"].sum()),
            f"{shop_format.number(own['expected_purchase_days'].sum())} purchase days",
            own["expected_amount"].sum() / longest,
        )
        for name, own in values
    ]
    return components.card(
        "Value by habit",
        components.bars(rows, label="Expected revenue by number of repeat days"),
        note="Repeat days are days with a purchase after the first.",
    )


def _customers(frame: pd.DataFrame) -> Any:
    rows = [
        (
            row.customer_id,
            formats.count(row.repeat_day_count),
            scored.percent(row.alive_chance),
            f"{row.expected_purchase_days:.1f}",
            formats.estimate(row.expected_day_amount),
            formats.estimate(row.expected_amount),
        )
        for row in scored.rows(frame.head(_SHOWN))
    ]
    columns = (
        components.Column("Customer"),
        components.Column("Repeat days", is_number=True),
        components.Column("Chance to buy again", is_number=True),
        components.Column("Purchase days to come", is_number=True),
        components.Column("Spend a day", is_number=True),
        components.Column("Expected revenue", is_number=True),
    )
    return components.card(
        "Most valuable customers",
        components.table(columns, rows, label="Customers by expected revenue"),
        note="Frequency by BG/NBD, spend by gamma-gamma; amounts are not discounted.",
        id="lifetime-value-customers",
    )

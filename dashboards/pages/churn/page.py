"""Churn: who is likely to stay away, why, and whom a call is worth.

In: the chances of the last scoring. Out: the page, filled by one callback.
Run standalone: `python -m dashboards.app`, then open /churn.
"""

from typing import Any

import pandas as pd
from dash import html

from dashboards import components, formats, one_part, scored
from dashboards.published import PublishedGold
from dashboards.queries import customer_scores
from dashboards.registry import Page
from lakehouse.settings import Settings

PAGE = Page("/churn", "Churn", group="Customers", icon="leaving")
_SHOWN = 25
_BANDS = 10


def layout() -> Any:
    """The page without content; a callback fills it."""
    return one_part.layout(
        PAGE.title, "Who is about to stay away, and is a call worth it?", "churn"
    )


def register(app: Any, gold: PublishedGold) -> None:
    """Connect the page to the last scoring."""
    one_part.register(app, "churn", lambda: filled(gold.settings))


def filled(settings: Settings) -> Any:
    """The page for the scores as they are now."""
    frame = customer_scores.churn(settings)
    return scored.nothing_yet() if frame.empty else body(frame, settings)


def body(frame: pd.DataFrame, settings: Settings) -> Any:
    """Key figures, whom to call, and how the chances are spread."""
    calls = frame[frame["is_worth_a_call"]]
    return html.Div(
        [
            _key_figures(frame, calls),
            _calls(calls, settings),
            _chances(frame),
            scored.origin(frame),
        ],
        className="stack",
    )


def _key_figures(frame: pd.DataFrame, calls: pd.DataFrame) -> Any:
    at_risk = frame["churn_chance"] * frame["usual_amount"]
    return html.Div(
        [
            components.kpi(
                "Expected to stay away",
                formats.count(round(frame["churn_chance"].sum())),
                hint=f"of {formats.count(len(frame))} customers, for 90 days",
            ),
            components.kpi(
                "Revenue at risk", formats.estimate(at_risk.sum()), hint="of 90 days at usual pace"
            ),
            components.kpi(
                "Worth a call",
                formats.count(len(calls)),
                hint=f"for {formats.estimate(calls['expected_profit'].sum())} of expected profit",
            ),
        ],
        className="kpis",
    )


def _calls(calls: pd.DataFrame, settings: Settings) -> Any:
    rows = [
        (
            row.customer_id,
            scored.percent(row.churn_chance),
            row.reason,
            row.second_reason or "",
            formats.estimate(row.usual_amount),
            formats.estimate(row.expected_profit),
        )
        for row in scored.rows(calls.head(_SHOWN))
    ]
    columns = (
        components.Column("Customer"),
        components.Column("Chance", is_number=True),
        components.Column("What raises it", is_wide=True),
        components.Column("And then", is_wide=True),
        components.Column("Usual spend", is_number=True),
        components.Column("Worth", is_number=True),
    )
    note = (
        "Worth is the expected profit of an offer that costs "
        f"{formats.estimate(settings.offer_cost)} and keeps "
        f"{scored.percent(settings.offer_success_rate)} of those who would go, at a margin of "
        f"{scored.percent(settings.margin_rate)}. Usual spend is that of 90 days."
    )
    return components.card(
        "Whom to call",
        components.table(columns, rows, label="Customers whom a call is worth")
        if rows
        else html.P("No customer is worth the cost of an offer.", className="muted"),
        note=note,
        id="churn-calls",
    )


def _chances(frame: pd.DataFrame) -> Any:
    band = (frame["churn_chance"] * _BANDS).astype(int).clip(0, _BANDS - 1)
    counts = band.value_counts().reindex(range(_BANDS), fill_value=0)
    longest = max(int(counts.max()), 1)
    rows = [
        (
            f"{low * 10} to {low * 10 + 10} %",
            "",
            formats.count(number),
            f"{formats.count(number)} customers",
            number / longest,
        )
        for low, number in reversed(list(enumerate(counts.tolist())))
    ]
    return components.card(
        "Customers by chance",
        components.bars(rows, label="Customers by chance to stay away"),
        note="Chance of no purchase within 90 days.",
    )

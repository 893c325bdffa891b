"""Segments: which groups the customers fall into, and who moved between them.

In: the segments of the last scoring, and gold's segments by rule. Out: the page, filled by one
callback. Run standalone: `python -m dashboards.app`, then open /segments.
"""

from decimal import Decimal
from typing import Any

import pandas as pd
from dash import html

from dashboards import components, formats, one_part, scored
from dashboards.published import PublishedGold
from dashboards.queries import customer_scores
from dashboards.registry import Page

PAGE = Page("/segments", "Segments", group="Customers", icon="groups")
_MOVES_SHOWN = 8


def layout() -> Any:
    """The page without content; a callback fills it."""
    return one_part.layout(PAGE.title, "Which groups do the customers fall into?", "segments-body")


def register(app: Any, gold: PublishedGold) -> None:
    """Connect the page to the last scoring."""
    one_part.register(app, "segments-body", lambda: filled(gold))


def filled(gold: PublishedGold) -> Any:
    """The page for the scores as they are now."""
    frame = customer_scores.segments(gold.settings)
    if frame.empty:
        return scored.nothing_yet()
    with gold.reader() as reader:
        by_rule = customer_scores.rfm_segments(reader.cursor)
    return body(frame, by_rule)


def body(frame: pd.DataFrame, by_rule: pd.DataFrame) -> Any:
    """Key figures, groups, moves, and the groups beside the segments by rule."""
    groups = customer_scores.by_segment(frame)
    return html.Div(
        [
            _key_figures(frame, groups),
            _groups(groups),
            html.Div([_moves(frame), _beside(frame, by_rule)], className="halves"),
            scored.origin(frame),
        ],
        className="stack",
    )


def _key_figures(frame: pd.DataFrame, groups: pd.DataFrame) -> Any:
    best = groups.iloc[0]
    moved = int(groups["moved_in"].sum())
    return html.Div(
        [
            components.kpi(
                "Customers", formats.count(len(frame)), hint=f"in {len(groups)} groups by K-means"
            ),
            components.kpi(
                "Share of revenue",
                scored.percent(best["share"]),
                hint=f"of the {formats.count(best['customer_count'])} in the first group",
            ),
            components.kpi("Moved", formats.count(moved), hint="to another group in 30 days"),
        ],
        className="kpis",
    )


def _groups(groups: pd.DataFrame) -> Any:
    rows = [
        (
            row.segment_name,
            formats.count(row.customer_count),
            f"{row.recency_days:.0f} day{'s' * (round(row.recency_days) != 1)}",
            f"{row.order_count:.0f}",
            formats.estimate(row.monetary_amount),
            scored.percent(row.share),
            f"+{formats.count(row.moved_in)} / {formats.MINUS}{formats.count(row.moved_out)}",
        )
        for row in scored.rows(groups)
    ]
    columns = (
        components.Column("Group", is_wide=True),
        components.Column("Customers", is_number=True),
        components.Column("Last purchase", is_number=True),
        components.Column("Orders", is_number=True),
        components.Column("Spend", is_number=True),
        components.Column("Share", is_number=True),
        components.Column("In / out", is_number=True),
    )
    return components.card(
        "Groups of customers",
        components.table(columns, rows, label="Groups of customers"),
        note="Days since the last purchase and orders are those of the middle customer.",
        id="segments-groups",
    )


def _moves(frame: pd.DataFrame) -> Any:
    moves = customer_scores.moves(frame).head(_MOVES_SHOWN)
    longest = max(moves["customer_count"], default=1)
    rows = [
        (
            row.segment_name,
            f"from {row.previous_segment_name}",
            formats.count(row.customer_count),
            f"{formats.count(row.customer_count)} customers",
            row.customer_count / longest,
        )
        for row in scored.rows(moves)
    ]
    return components.card(
        "Moves of a month",
        components.bars(rows, label="Customers by move")
        if rows
        else html.P("Nobody moved.", className="muted"),
        note="The groups are the same; the customers are those of 30 days apart.",
    )


def _beside(frame: pd.DataFrame, by_rule: pd.DataFrame) -> Any:
    both = frame.merge(by_rule, on="customer_id")
    counts = pd.crosstab(both["rfm_segment"], both["segment_name"])
    names = list(counts.columns)
    commonest = counts.sum(axis=1).sort_values(ascending=False).index
    rows = []
    for rule in commonest:
        own = counts.loc[rule]
        total = int(own.sum())
        name = names[int(own.to_numpy().argmax())]
        part = formats.percent(Decimal(int(own.max())) / total, places=0)
        rows.append((str(rule).replace("_", " ").capitalize(), formats.count(total), name, part))
    columns = (
        components.Column("By rule", is_wide=True),
        components.Column("Customers", is_number=True),
        components.Column("Mostly in group", is_wide=True),
        components.Column("Share", is_number=True),
    )
    return components.card(
        "Beside the segments by rule",
        components.table(columns, rows, label="Segments by rule and their commonest group"),
        note="Rules cut at fifths of recency, frequency and spend; groups follow the customers.",
    )

"""The building blocks of the pages: cards, lists, tables, banners and the empty state.

In: values and texts. Out: Dash components without ids or callbacks, so that all pages look the
same. Colours and spacing are in `assets/cartlake.css`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

import dash_mantine_components as dmc
from dash import html

from dashboards import formats

Tone = Literal["good", "bad", "warn", "plain"]


@dataclass(frozen=True)
class Column:
    """A column of a table. Numbers stand to the right in figures of one width."""

    title: str
    is_number: bool = False
    is_wide: bool = False


def icon(name: str) -> Any:
    """A decorative icon of `assets/cartlake.css`, drawn in the colour of the text."""
    return html.Span(className=f"icon icon-{name}", **{"aria-hidden": "true"})


def page_head(title: str, question: str) -> Any:
    """The title of a page, and the question that it answers."""
    return html.Div([html.H1(title), html.P(question, className="muted")], className="page-head")


def card(
    title: str,
    children: Any,
    *,
    aside: Any = None,
    note: Any = None,
    id: str = "",  # noqa: A002
) -> Any:
    """A titled card. `aside` stands at the right of the title, `note` below it."""
    head = html.Div([html.H2(title, className="card-title"), aside], className="card-head")
    below = None if note is None else html.Div(note, className="card-note")
    inside = children if isinstance(children, list) else [children]
    section = {"id": id} if id else {}
    return html.Section(
        [head, below, *inside], className="card", **section, **{"aria-label": title}
    )


def kpi(
    label: str,
    value: str,
    *,
    change: Any = None,
    hint: Any = "",
    trend: Sequence[Any] = (),
    about: Any = None,
) -> Any:
    """A key figure with its change and the shape of its course; `about` opens what it means."""
    whole, decimals = formats.parted(value)
    figure = [whole, html.Span(decimals, className="decimals")] if decimals else [whole]
    return html.Article(
        [
            html.Div([html.H2(label, className="kpi-label"), about], className="kpi-head"),
            html.P(figure, className="kpi-value"),
            html.P([change, html.Span(hint, className="kpi-hint")], className="kpi-foot"),
            sparkline(trend),
        ],
        className="card kpi",
        **{"data-kpi": label.lower().replace(" ", "-")},
    )


def change(
    now: Decimal | None,
    before: Decimal | None,
    *,
    is_more_good: bool,
    against: str,
    is_rate: bool = False,
) -> Any:
    """The change against the period before, as an arrow and per cent; None without a base.

    That of a rate is told in points of a hundred: from 4 % to 5 % is one point.
    """
    if now is None or before is None or not (before or is_rate):
        return None
    ratio = abs(now) - abs(before) if is_rate else (abs(now) - abs(before)) / abs(before)
    if not ratio:
        return html.Span("no change", className="delta delta-plain", title=f"Against {against}")
    is_more = ratio > 0
    tone = "good" if is_more == is_more_good else "bad"
    word = "up" if is_more else "down"
    return html.Span(
        [
            html.Span("▲" if is_more else "▼", className="arrow", **{"aria-hidden": "true"}),
            html.Span(f"{word} ", className="for-ears"),
            formats.points(abs(ratio)) if is_rate else formats.percent(abs(ratio)),
        ],
        className=f"delta delta-{tone}",
        title=f"{word} against {against}",
    )


def sparkline(values: Sequence[Any]) -> Any:
    """The course of a figure as a small area; nothing for fewer than three points."""
    if len(values) < 3:
        return None
    numbers = [float(value) for value in values]
    low, high = min(0.0, *numbers), max(0.0, *numbers)
    span = (high - low) or 1.0
    step = 100 / (len(numbers) - 1)
    tops = [
        f"{index * step:.2f}% {100 - (number - low) / span * 92:.2f}%"
        for index, number in enumerate(numbers)
    ]
    shape = f"polygon({', '.join([*tops, '100% 100%', '0% 100%'])})"
    return html.Div(className="spark", style={"clipPath": shape}, **{"aria-hidden": "true"})


def bars(rows: Iterable[tuple[str, str, str, str, float]], *, label: str) -> Any:
    """A list of names with amounts and bars; few components a row, as each costs the browser.

    Args:
        rows: Name, small print, amount, exact amount and the bar's length from 0 to 1.
        label: What the list shows, for screen readers.
    """
    return html.Ol(
        [
            html.Li(
                [
                    html.Span(name, className="bar-name", title=name),
                    html.Span(amount, className="bar-amount", title=exact),
                    html.Span(small, className="bar-small") if small else None,
                ],
                className="bar-row",
                style={"--length": f"{max(0.0, min(1.0, length)) * 100:.2f}%"},
            )
            for name, small, amount, exact, length in rows
        ],
        className="bars",
        **{"aria-label": label},
    )


def plain_table(head: Sequence[str], rows: Sequence[Sequence[str]], *, label: str) -> Any:
    """A table of texts as one component, for tables with many rows."""
    return html.Div(
        dmc.Table(data={"head": head, "body": rows}, className="plain-table"),
        className="scroll",
        tabIndex=0,
        role="region",
        **{"aria-label": label},
    )


def table(columns: Sequence[Column], rows: Iterable[Sequence[Any]], *, label: str) -> Any:
    """A table that scrolls inside its card by keyboard too; a list of rows on a phone."""
    kinds = [
        " ".join(word for word, on in (("num", each.is_number), ("wide", each.is_wide)) if on)
        for each in columns
    ]
    head = html.Tr(
        [
            html.Th(each.title, className=kind, scope="col")
            for each, kind in zip(columns, kinds, strict=True)
        ]
    )
    body = [
        html.Tr(
            [
                html.Td(cell, className=kind, **{"data-label": each.title})
                for cell, kind, each in zip(row, kinds, columns, strict=True)
            ]
        )
        for row in rows
    ]
    return html.Div(
        html.Table([html.Thead(head), html.Tbody(body)], className="table"),
        className="scroll",
        tabIndex=0,
        role="region",
        **{"aria-label": label},
    )


def badge(text: str, tone: Tone) -> Any:
    """A word with a mark, so that its meaning does not hang on the colour."""
    mark = {"good": "check", "bad": "cross", "warn": "warn", "plain": "dash"}[tone]
    return html.Span([icon(mark), text], className=f"badge badge-{tone}")


def banner(tone: Tone, children: Any) -> Any:
    """A line across the page. Bad and warn are announced to screen readers."""
    name = {"good": "check", "bad": "cross", "warn": "warn", "plain": "clock"}[tone]
    role = "alert" if tone in ("bad", "warn") else "status"
    return html.Div([icon(name), html.Div(children)], className=f"banner banner-{tone}", role=role)


def empty_state(title: str, *, why: str, command: str = "") -> Any:
    """Says why a page has nothing to show and which command fills it."""
    return html.Div(
        [
            html.Div(icon("brand"), className="empty-mark"),
            html.H2(title),
            html.P(why),
            html.P(dmc.Code(command, className="empty-command")) if command else None,
        ],
        className="card empty",
        role="status",
    )

"""A KPI as a tile: its value, its change in the colour of its favourable direction, its course.

In: values of the semantic layer. Out: a component. What a KPI means, who owns it and how it is
asked for is behind the tile's info button.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import dash_mantine_components as dmc
from dash import html

from dashboards import components, formats
from lakehouse.contracts.kpis import Kpi, kpi
from lakehouse.semantics.declared import read_layer
from lakehouse.semantics.question import Question, Value, compiled


def shown(declared: Kpi, value: Value, *, places: int = 2) -> str:
    """A value of a KPI as a person reads it."""
    if value is None:
        return formats.NOTHING
    if declared.unit == "rate":
        return formats.percent(Decimal(value))
    if declared.unit in ("count", "days"):
        return formats.count(int(value))
    return formats.money(Decimal(value), places=places)


def label(name: str) -> str:
    """A metric as a person calls it."""
    return read_layer().metric(name).label


def tile(
    name: str,
    now: Value,
    before: Value,
    *,
    against: str,
    hint: Any = "",
    trend: Sequence[Any] = (),
    about: Any = None,
) -> Any:
    """One KPI. Its change is good where its size went the declared way."""
    declared = kpi(name)
    delta = components.change(
        None if now is None else Decimal(now),
        None if before is None else Decimal(before),
        is_more_good=declared.direction == "up",
        against=against,
        is_rate=declared.unit == "rate",
    )
    return components.kpi(
        label(name), shown(declared, now), change=delta, hint=hint, trend=trend, about=about
    )


def about(name: str, question: Question, *, as_of: str) -> Any:
    """The info button of a KPI: definition, owner, table, freshness, query and origin."""
    declared, layer = kpi(name), read_layer()
    model = layer.measured_by(name)
    sql, _ = compiled(layer, model, layer.leaves(name), question)
    facts = {
        "Definition": declared.definition,
        "Owner": declared.owner,
        "Better": "more" if declared.direction == "up" else "less",
        "Measured in": html.Code(model.table),
        "Figures as of": as_of,
        "Where it comes from": html.Code(f"./lake lineage {name}"),
    }
    rows = [part for term, what in facts.items() for part in (html.Dt(term), html.Dd(what))]
    return dmc.Popover(
        [
            dmc.PopoverTarget(
                html.Button(
                    components.icon("info"),
                    className="about-button",
                    type="button",
                    **{"aria-label": f"About {label(name)}"},
                )
            ),
            dmc.PopoverDropdown(
                html.Div(
                    [
                        html.H3(label(name)),
                        html.Dl(rows),
                        html.Details([html.Summary("Query"), html.Pre(sql)]),
                    ],
                    className="about",
                )
            ),
        ],
        width=340,
        position="bottom-end",
        withArrow=True,
        shadow="md",
        withRoles=False,  # they would stand on a div around the button, which is not one
        trapFocus=True,
        returnFocus=True,
    )

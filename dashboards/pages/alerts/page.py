"""Alerts: what is open, who takes care of it, what is behind it, and what has been.

In: the alerts of this state folder. Out: the page, filled by one callback.
Run standalone: `python -m dashboards.app`, then open /alerts.
"""

from typing import Any

from dash import html

from dashboards import components, one_part
from dashboards.pages.alerts import cards as parts
from dashboards.published import PublishedGold
from dashboards.queries.alerts import Alerts, read_alerts
from dashboards.registry import Page

PAGE = Page("/alerts", "Alerts", group="Decisions", icon="warn")


def layout() -> Any:
    """The page without content; a callback fills it."""
    return one_part.layout(
        PAGE.title,
        "What needs somebody now, what is behind it, and who takes care of it?",
        "alerts-body",
    )


def register(app: Any, gold: PublishedGold) -> None:
    """Connect the page to the alerts."""
    one_part.register(app, "alerts-body", lambda: body(read_alerts(gold.settings)))


def body(found: Alerts | None) -> Any:
    """The page, or the reason why there is none."""
    if found is None:
        return components.empty_state(
            "Nothing has been checked yet",
            why="No check has judged the rules. This command does, and so does the job every 15 "
            "minutes where a scheduler runs.",
            command="./lake alerts check",
        )
    return html.Div(
        [parts.open_alerts(found), parts.history(found), parts.rules(found)], className="stack"
    )

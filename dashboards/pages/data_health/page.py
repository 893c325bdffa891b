"""Data health: the last run, its stages, quality, quarantine and reconciliation.

In: the report of the last run. Out: the page, filled by one callback.
Run standalone: `python -m dashboards.app`, then open /data-health.
"""

from typing import Any

from dash import html

from dashboards import components, one_part
from dashboards.callbacks import FIRST_COMMAND
from dashboards.pages.data_health import cards as parts
from dashboards.pages.data_health.restated_days import restated_days
from dashboards.published import PublishedGold
from dashboards.queries.last_run import LastRun, read_last_run
from dashboards.registry import Page

PAGE = Page("/data-health", "Data health", group="Platform", icon="pulse")


def layout() -> Any:
    """The page without content; a callback fills it."""
    return one_part.layout(
        PAGE.title, "Is every figure complete and equal to the events that made it?", "health-body"
    )


def register(app: Any, gold: PublishedGold) -> None:
    """Connect the page to the last run's report."""
    one_part.register(app, "health-body", lambda: body(read_last_run(gold.settings)))


def body(run: LastRun | None) -> Any:
    """The page for one run, or the reason why there is none."""
    if run is None:
        return components.empty_state(
            "No run yet",
            why="No run has left a report. This command loads the shop's history and checks it; "
            "the page fills by itself when it is done.",
            command=FIRST_COMMAND,
        )
    return html.Div(
        [
            parts.summary(run),
            parts.reconciliation(run),
            html.Div([parts.quality(run), parts.quarantine(run)], className="halves"),
            restated_days(run),
            parts.stages(run),
            parts.versions(run),
        ],
        className="stack",
    )

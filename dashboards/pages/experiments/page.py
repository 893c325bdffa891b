"""Experiments: what each one shows so far, whether it can be trusted, and what was declared.

In: the registry, gold in service. Out: the page, filled by one callback.
Run standalone: `python -m dashboards.app`, then open /experiments.
"""

from typing import Any

from dash import html

from dashboards import components, one_part
from dashboards.pages.experiments import cards as parts
from dashboards.published import PublishedGold
from dashboards.queries.experiments import read_experiments
from dashboards.registry import Page
from experiments.registry import Experiment
from experiments.shop_units import Result

PAGE = Page("/experiments", "Experiments", group="Decisions", icon="chart")


def layout() -> Any:
    """The page without content; a callback fills it."""
    return one_part.layout(
        PAGE.title,
        "What does each experiment show so far, and can it be trusted?",
        "experiments-body",
    )


def register(app: Any, gold: PublishedGold) -> None:
    """Connect the page to the gold in service."""

    def show() -> Any:
        with gold.reader() as reader:
            return body(read_experiments(reader.cursor))

    one_part.register(app, "experiments-body", show)


def body(found: list[tuple[str, Experiment, Result | str]]) -> Any:
    """One card for each experiment."""
    if not found:
        return components.empty_state(
            "No experiment is declared",
            why="Experiments are declared in experiments/shop.toml; docs/experiments.md says how.",
        )
    return html.Div([parts.experiment(*each) for each in found], className="stack")

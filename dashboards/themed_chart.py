"""A chart in the theme that is shown: the server gives a plain figure, the browser its colours.

In: the name of the chart; a callback of the page fills its store, `<name>-figure`. Out: layout and
callback.
"""

from typing import Any

from dash import ClientsideFunction, Input, Output, dcc, html

_CONFIG = {"displayModeBar": False, "responsive": True, "doubleClick": False}


def layout(name: str, label: str) -> Any:
    """The chart with its store. `label` says what it shows to those who can't see it."""
    graph = dcc.Graph(id=f"{name}-graph", config=_CONFIG, responsive=True, style={"height": "100%"})
    return html.Div(
        [graph, dcc.Store(id=f"{name}-figure")],
        className="graph",
        role="img",
        **{"aria-label": label},
    )


def register(app: Any, name: str) -> None:
    """Draw the figure again when it or the theme changes."""
    app.clientside_callback(
        ClientsideFunction("cartlake", "themed"),
        Output(f"{name}-graph", "figure"),
        Input(f"{name}-figure", "data"),
        Input("shown-scheme", "data"),
        Input("templates", "data"),
    )

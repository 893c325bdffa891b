"""A chart in the theme that is shown: the server gives a plain figure, the browser its colours.

In: the name of the chart; a callback of the page fills its store, `<name>-figure`. Out: layout and
callbacks. The chart is mounted when its figure is there: a page that held it from the start would
wait for the chart's library, by far the largest file, before it asks for any figure.
"""

from typing import Any

from dash import ClientsideFunction, Input, Output, State, dcc, html

_CONFIG = {"displayModeBar": False, "responsive": True, "doubleClick": False}


def layout(name: str, label: str) -> Any:
    """The chart with its store. `label` says what it shows to those who can't see it."""
    graph = dcc.Graph(id=f"{name}-graph", config=_CONFIG, responsive=True, style={"height": "100%"})
    return html.Div(
        [
            html.Div(id=f"{name}-place", className="graph-place"),
            dcc.Store(id=f"{name}-figure"),
            dcc.Store(id=f"{name}-unmounted", data=graph.to_plotly_json()),
        ],
        className="graph",
        role="img",
        **{"aria-label": label},
    )


def register(app: Any, name: str) -> None:
    """Mount the chart with its first figure, and draw it again when figure or theme change."""
    app.clientside_callback(
        ClientsideFunction("cartlake", "mount"),
        Output(f"{name}-place", "children"),
        Input(f"{name}-figure", "data"),
        State(f"{name}-unmounted", "data"),
        State(f"{name}-place", "children"),
    )
    app.clientside_callback(
        ClientsideFunction("cartlake", "themed"),
        Output(f"{name}-graph", "figure"),
        Input(f"{name}-figure", "data"),
        Input("shown-scheme", "data"),
        Input("templates", "data"),
    )

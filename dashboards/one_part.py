"""A page that one callback fills whole whenever something is new: its head, and the part below it.

In: the page's title and question, and a function that makes the part. Out: layout and callback.
"""

from collections.abc import Callable
from typing import Any

from dash import Input, Output, html

from dashboards import components
from dashboards.callbacks import off_loop


def layout(title: str, question: str, part: str) -> Any:
    """The page without content; the callback fills the part of that id."""
    return html.Div([components.page_head(title, question), html.Div(id=part)])


def register(app: Any, part: str, make: Callable[[], Any]) -> None:
    """Fill the part with what `make` gives, or with a notice of why it can't."""
    app.callback(Output(part, "children"), Input("epoch", "data"))(
        off_loop(lambda _epoch: make(), on_error=lambda notice: notice)
    )

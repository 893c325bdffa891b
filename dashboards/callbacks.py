"""How a page's function becomes a callback: off the event loop, never a stack trace on the page.

In: a plain function of a page. Out: an async callback that runs it in a thread. An expected error
gives its message, anything else a short sentence on the page and the details in the log.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from dash.exceptions import PreventUpdate

from dashboards.components import banner, empty_state
from lakehouse.errors import LakeError
from lakehouse.pointer import NothingPublished

FIRST_COMMAND = "./lake demo"
_log = logging.getLogger(__name__)


def off_loop(
    function: Callable[..., Any], *, on_error: Callable[[Any], Any]
) -> Callable[..., Awaitable[Any]]:
    """Run `function` in a thread; `on_error` turns a notice into the callback's outputs.

    Queries would otherwise hold up every other page, as the server has one event loop.
    """

    async def run(*values: Any) -> Any:
        try:
            return await asyncio.to_thread(function, *values)
        except PreventUpdate:
            raise
        except Exception as error:  # noqa: BLE001 -- the page shows a sentence, the log the rest
            return on_error(notice_of(error))

    run.__name__ = function.__name__
    return run


def notice_of(error: Exception) -> Any:
    """What the page shows instead of figures."""
    if isinstance(error, NothingPublished):
        return empty_state(
            "No figures yet",
            why="Nothing has been published. This command loads the shop's history, checks it and "
            "publishes it; the page fills by itself when it is done.",
            command=FIRST_COMMAND,
        )
    if isinstance(error, LakeError):
        return empty_state("This cannot be shown now", why=str(error))
    _log.error("A callback failed", exc_info=error)
    return banner("bad", "This part cannot be shown; the dashboard's log says why.")

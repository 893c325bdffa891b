"""Backfills and repairs on the record: an intent before, the end after, and what was cut short.

In: the ledger's chain `operations`. Out: lines, and the ending of what a crash left half done. Each
of these operations is computed from bronze alone, so that doing it again finishes it.
"""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from lakehouse.ledger import chain
from lakehouse.settings import Settings
from operations.context import Context

CHAIN = "operations"
Request = Mapping[str, Any]
_CHAINED = ("kind", "at", "previous", "sha256")


def unfinished(settings: Settings) -> list[dict[str, Any]]:
    """Intents of backfills and repairs that have no end yet, oldest first."""
    found: dict[str, dict[str, Any]] = {}
    for line in chain.lines(CHAIN, settings=settings):
        if line.get("operation") not in ("backfill", "repair"):
            continue
        if line["kind"] == "intent":
            found[line["id"]] = {key: line[key] for key in line if key not in _CHAINED}
        elif line["kind"] == "done":
            found.pop(line["id"], None)
    return list(found.values())


@contextlib.contextmanager
def recorded(
    context: Context, request: Request, *, covers: Callable[[Request, Request], bool]
) -> Iterator[dict[str, Any]]:
    """Write the intent, yield a place for the results, and write the end with them.

    Operations of the same kind that were cut short and that this one covers end with it.
    """
    settings = context.settings
    begun = [
        each
        for each in unfinished(settings)
        if each["operation"] == request["operation"] and covers(request, each)
    ]
    if not any("id" in request and each["id"] == request["id"] for each in begun):
        own = {"id": context.outcome.run_id, **request}
        chain.write(CHAIN, {"kind": "intent", **own}, settings=settings)
        begun.append(own)
    results: dict[str, Any] = {}
    yield results
    by = {"run_id": context.outcome.run_id}
    for each in begun:
        chain.write(CHAIN, {"kind": "done", **each, **results, **by}, settings=settings)

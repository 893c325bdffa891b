"""A job beside `lake streams`: it waits until the streams are through, and writes nothing itself.

In: settings. Out: what lay in Kafka, or in bronze, when the job began is one layer further on.
"""

import time
from collections.abc import Callable

from lakehouse.contracts.tables import BRONZE_EVENTS
from lakehouse.errors import LakeError
from lakehouse.ledger import commits
from lakehouse.locks import hold, is_held
from lakehouse.settings import Settings
from lakehouse.tables import current_versions
from operations.audit import broker_ends
from streaming import checkpoints, ingest, refine

STREAMS = "streams"
_LOOK_SECONDS = 0.5
_BATCH_SECONDS = 300.0
_GRACE_SECONDS = 60.0
"""How long the streams may be away: a container that was killed is started again."""


def are_following(settings: Settings) -> bool:
    """Whether `lake streams` is at work on this state, in whatever process or container."""
    return is_held(STREAMS, settings=settings)


def await_landed(settings: Settings) -> None:
    """Wait until all that Kafka holds now is in bronze. Raises: LakeError when the streams end."""
    ends = broker_ends(settings) or {}

    def is_through() -> bool:
        landed = checkpoints.next_offsets(ingest.QUERY, settings=settings)
        return all(landed.get(place, 0) >= end for place, end in ends.items())

    _await(is_through, settings=settings)


def await_refined(settings: Settings) -> None:
    """Wait until all that bronze holds now is refined. Raises: LakeError when the streams end."""
    commits.derive(settings)
    landed = max(
        (
            line["version"]
            for line in commits.commits(settings)
            if line["table"] == BRONZE_EVENTS.name and line.get("query") == ingest.QUERY
        ),
        default=-1,
    )

    def is_through() -> bool:
        return checkpoints.next_version(refine.QUERY, settings=settings) > landed

    _await(is_through, settings=settings)


def versions_to_publish(settings: Settings) -> dict[str, int]:
    """Versions of all tables that belong together: what silver holds is what bronze holds.

    Beside the streams they are those between two batches of refine, with bronze as far as refine
    has read it: what lands meanwhile is for the next publish. Without them, the newest.

    Raises:
        LakeError: Refine did not come to the end of a batch in time.
    """
    if not are_following(settings):
        return current_versions(settings)
    deadline = time.monotonic() + _BATCH_SECONDS
    while time.monotonic() < deadline:
        with hold(refine.BATCH, settings=settings, wait_seconds=_BATCH_SECONDS):
            bronze = checkpoints.version_read(refine.QUERY, settings=settings)
            versions = current_versions(settings)
        if bronze is not None:
            return versions | {BRONZE_EVENTS.name: bronze}
        time.sleep(_LOOK_SECONDS)
    raise LakeError(
        f"Refine has not come to the end of what has landed within {_BATCH_SECONDS:.0f} seconds. "
        "Run the same command again: `lake lag` shows how far it is."
    )


def _await(is_through: Callable[[], bool], *, settings: Settings) -> None:
    seen = time.monotonic()
    while not is_through():
        if are_following(settings):
            seen = time.monotonic()
        elif time.monotonic() > seen + _GRACE_SECONDS:
            raise LakeError(
                "`lake streams` ended before it had read everything. Start it again, or run the "
                "same command once more: without it, the command does the work itself."
            )
        time.sleep(_LOOK_SECONDS)

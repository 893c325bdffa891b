"""A new checkpoint for a query whose old one is lost or damaged, or points at what Kafka lost.

In: the query's name. Out: a fresh checkpoint (or none yet) from which the next run loses and
doubles nothing: ingest goes on at bronze's end, refine reads bronze again and recognises every
position. What Kafka lost before it was read is given up only with a reason, on the record.
"""

import json
import shutil
from pathlib import Path

from lakehouse.contracts.topics import subscribed_topics
from lakehouse.errors import LakeError
from lakehouse.ledger import chain, losses
from lakehouse.ledger.losses import Place
from lakehouse.locks import hold
from lakehouse.settings import Settings
from lakehouse.shop_format import counted
from streaming import broker, kafka_admin, retention
from streaming.checkpoints import checkpoint_dir, start_file

QUERIES = ("ingest", "refine")


def reset_query(query: str, *, settings: Settings, accept_loss: str | None = None) -> str:
    """Put a query's checkpoint aside; returns one sentence about where it goes on.

    Args:
        query: ingest or refine.
        settings: Where the state lies.
        accept_loss: Why records that Kafka lost before ingest read them are given up.

    Raises:
        LakeError: There is no such query, a run is under way, Kafka lost records and no reason is
            given, or a reason is given and nothing is lost.
    """
    if query not in QUERIES:
        raise LakeError(f"There is no query '{query}'. Queries: {', '.join(QUERIES)}.")
    if accept_loss is not None and (query != "ingest" or not accept_loss.strip()):
        raise LakeError(
            "Only ingest can lose records: `lake reset ingest --accept-loss REASON`, with a reason "
            "that others will understand."
        )
    with hold("run", settings=settings), hold(f"query-{query}", settings=settings):
        given_up = _settle_losses(settings, reason=accept_loss) if query == "ingest" else 0
        facts = {"operation": "reset", "query": query, "id": chain.now()}
        chain.write("operations", {"kind": "intent", **facts}, settings=settings)
        starts = _next_offsets(settings) if query == "ingest" else {}
        path = start_file(query, settings=settings)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(starts), encoding="utf-8")
        _remove(checkpoint_dir(query, settings=settings))
        chain.write("operations", {"kind": "done", **facts}, settings=settings)
    if query == "refine":
        return "refine starts over from bronze's first row; what silver holds is recognised."
    places = sum(len(parts) for parts in starts.values())
    lost = (
        f" {counted(given_up)} records are given up, and every audit will say so."
        if given_up
        else ""
    )
    return f"ingest goes on after bronze's highest offset in {places} partitions.{lost}"


def _remove(folder: Path) -> None:
    """Remove a checkpoint in one step, for half of one would pass for another's beginning."""
    aside = folder.with_name(f"{folder.name}.removed")
    shutil.rmtree(aside, ignore_errors=True)
    if folder.exists():
        folder.rename(aside)
        shutil.rmtree(aside)


def _settle_losses(settings: Settings, *, reason: str | None) -> int:
    """Give up what Kafka lost, if a reason says so; returns how many offsets.

    The ledger has the ranges before anything else changes: a reset cut short is run again.
    """
    if reason is not None:
        broker.require_running(settings)
    status = broker.status(settings)
    if not status.running:
        return 0
    begins = kafka_admin.first_offsets(status.bootstrap, subscribed_topics())
    missing = retention.missing_ranges(settings, begins=begins)
    if reason is None:
        if missing:
            raise retention.lost_error(missing)
        return 0
    if not missing:
        raise LakeError(
            "Kafka holds every record that ingest has yet to read, so there is no loss to accept. "
            "For a new checkpoint run `lake reset ingest`."
        )
    losses.accept(missing, reason=reason, settings=settings)
    return sum(end - first for first, end in missing.values())


def _next_offsets(settings: Settings) -> dict[str, dict[str, int]]:
    starts: dict[Place, int] = losses.landed_ends(settings)
    for place, spans in losses.accepted(settings).items():
        for first, end in spans:
            if place not in starts or first <= starts[place] < end:
                starts[place] = end
    found: dict[str, dict[str, int]] = {}
    for (topic, partition), offset in sorted(starts.items()):
        found.setdefault(topic, {})[str(partition)] = offset
    return found

"""A new checkpoint for a query whose old one is lost or damaged.

In: the query's name. Out: a fresh checkpoint (or none yet) from which the next run loses and
doubles nothing: ingest goes on at bronze's end, refine reads bronze again and recognises every
position.
"""

import json
import shutil

from lakehouse.contracts.tables import BRONZE_EVENTS
from lakehouse.duck import delta_relation, open_lake
from lakehouse.errors import LakeError
from lakehouse.locks import hold
from lakehouse.settings import Settings
from lakehouse.tables import current_version
from quality import ledger
from streaming.checkpoints import checkpoint_dir, start_file

QUERIES = ("ingest", "refine")


def reset_query(query: str, *, settings: Settings) -> str:
    """Put a query's checkpoint aside; returns one sentence about where it goes on.

    Raises:
        LakeError: There is no such query, or a run is under way.
    """
    if query not in QUERIES:
        raise LakeError(f"There is no query '{query}'. Queries: {', '.join(QUERIES)}.")
    with hold("run", settings=settings), hold(f"query-{query}", settings=settings):
        facts = {"operation": "reset", "query": query, "id": ledger.now()}
        ledger.write("operations", {"kind": "intent", **facts}, settings=settings)
        starts = _next_offsets(settings) if query == "ingest" else {}
        folder = checkpoint_dir(query, settings=settings)
        if folder.exists():
            shutil.rmtree(folder)
        path = start_file(query, settings=settings)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(starts), encoding="utf-8")
        ledger.write("operations", {"kind": "done", **facts}, settings=settings)
    if query == "refine":
        return "refine starts over from bronze's first row; what silver holds is recognised."
    places = sum(len(parts) for parts in starts.values())
    return f"ingest goes on after bronze's highest offset in {places} partitions."


def _next_offsets(settings: Settings) -> dict[str, dict[str, int]]:
    if current_version(BRONZE_EVENTS, settings=settings) is None:
        return {}
    relation = delta_relation(settings, BRONZE_EVENTS.name)
    with open_lake(settings) as lake:
        rows = lake.execute(
            f'select topic, "partition", max("offset") + 1 from {relation} '
            "group by all order by all"
        ).fetchall()
    found: dict[str, dict[str, int]] = {}
    for topic, partition, offset in rows:
        found.setdefault(topic, {})[str(partition)] = offset
    return found

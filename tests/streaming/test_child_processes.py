"""A batch starts no process: Spark's and Delta's files are written without asking the shell."""

from pathlib import Path

import psutil
import pytest

from streaming.queries import await_all_available
from streaming.refine import QUERY, start_refine
from tests.lake_state import LakeState, erp, everything, web_order

pytestmark = pytest.mark.spark


def ended_children_of_java() -> int:
    """Grows with each process that the session's Java started and waited for.

    The count of page faults of ended children: even the smallest command causes some.
    """
    (java,) = (each for each in psutil.Process().children() if each.name() == "java")
    facts = Path(f"/proc/{java.pid}/stat").read_text().rpartition(")")[2].split()
    return int(facts[8])


def test_a_batch_of_ingest_and_refine_starts_no_process(lake: LakeState) -> None:
    query = start_refine(lake.spark, settings=lake.settings, follow=True)
    try:
        lake.land(*everything())
        await_all_available(query, name=QUERY)
        before = ended_children_of_java()
        # A commit of bronze, as ingest makes it, and a batch of refine with a new row and a repeat.
        lake.land(erp(10, Quantity="8"), erp(11), web_order(10, event_id="order-10"))
        await_all_available(query, name=QUERY)
        assert ended_children_of_java() == before
    finally:
        query.stop()

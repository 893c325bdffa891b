"""Waiting for a query: not a moment longer than it can help."""

import threading
from typing import Any

import pytest

from lakehouse.errors import LakeError
from streaming.queries import await_all_available, await_end, start_query
from tests.lake_state import LakeState

pytestmark = pytest.mark.spark


@pytest.mark.parametrize("wait", [await_end, await_all_available])
def test_waiting_ends_with_what_the_watch_says(lake: LakeState, wait: Any) -> None:
    entered, leave = threading.Event(), threading.Event()

    def batch(_rows: Any, _batch_id: int) -> None:
        entered.set()
        leave.wait(60)

    def watch() -> None:
        if entered.is_set():
            raise LakeError("The broker ended.")

    stream = lake.spark.readStream.format("rate").load()
    query = start_query(stream, batch, name="watched", settings=lake.settings, follow=True)
    try:
        with pytest.raises(LakeError, match="The broker ended"):
            wait(query, name="watched", watch=watch)
        assert not leave.is_set()
    finally:
        leave.set()
        query.stop()


def test_a_query_that_runs_once_ends_at_the_end_of_its_source(lake: LakeState) -> None:
    rows: list[int] = []

    def batch(found: Any, _batch_id: int) -> None:
        rows.append(found.count())

    stream = lake.spark.readStream.format("rate-micro-batch").option("rowsPerBatch", 7).load()
    query = start_query(stream, batch, name="counted", settings=lake.settings, follow=False)
    await_end(query, name="counted")
    assert rows == [7]

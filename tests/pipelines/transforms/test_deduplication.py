"""The smallest position wins; whoever loses is named, and nothing is dropped."""

from typing import TYPE_CHECKING

import pytest

from pipelines.transforms.deduplication import decide

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

pytestmark = pytest.mark.spark

KNOWN = (
    "topic string, partition int, offset bigint, event_id string, identity string, "
    "content_hash string, amount decimal(18,4)"
)
FRESH = f"{KNOWN}, refusal string, value binary, kafka_at timestamp, payload string"


def record(
    position: tuple[int, int], event_id: str, content: str, refusal: str | None = None
) -> tuple[object, ...]:
    identity = event_id.partition("-")[0]
    fact = ("t", *position, event_id, identity, content, None)
    return (*fact, refusal, b"v", None, None if refusal else "rows")


def outcomes(frame: "DataFrame") -> list[tuple[object, ...]]:
    return sorted(
        (
            (row["partition"], row["offset"]),
            row["outcome"],
            (row["winner"]["partition"], row["winner"]["offset"]) if row["winner"] else None,
            row["is_existing"],
            row["payload"],
        )
        for row in frame.collect()
    )


def test_every_record_of_a_batch_has_one_outcome(spark: "SparkSession") -> None:
    records = [
        record((0, 9), "a-1", "x"),
        record((0, 3), "a-1", "x"),
        record((0, 5), "a-2", "x"),
        record((1, 1), "a-1", "other"),
        record((1, 7), "b-1", "x"),
        record((1, 2), "b-1", "y", "bad_price:"),
    ]
    assert outcomes(decide(spark.createDataFrame(records, FRESH), None)) == [
        ((0, 3), "accepted", (0, 3), False, "rows"),
        ((0, 5), "repeated", (0, 3), False, "rows"),
        ((0, 9), "redelivered", (0, 3), False, "rows"),
        ((1, 1), "conflict", (0, 3), False, "rows"),
        ((1, 2), "quarantined", None, False, None),
        ((1, 7), "accepted", (1, 7), False, "rows"),
    ]


def test_records_are_decided_against_what_was_accepted(spark: "SparkSession") -> None:
    known = [
        ("t", 0, 5, "kept-1", "kept", "x", None),
        ("t", 0, 6, "beaten-1", "beaten", "x", None),
        ("t", 0, 7, "beaten2-1", "beaten2", "x", None),
        ("t", 0, 8, "again-1", "again", "x", None),
        ("t", 0, 9, "stranger-1", "stranger", "x", None),
    ]
    records = [
        record((0, 15), "kept-1", "x"),
        record((0, 2), "beaten-1", "x"),
        record((0, 3), "beaten2-1", "other"),
        record((0, 8), "again-1", "x"),
    ]
    found = decide(spark.createDataFrame(records, FRESH), spark.createDataFrame(known, KNOWN))
    assert outcomes(found) == [
        ((0, 2), "accepted", (0, 2), False, "rows"),
        ((0, 3), "accepted", (0, 3), False, "rows"),
        ((0, 6), "redelivered", (0, 2), True, None),
        ((0, 7), "conflict", (0, 3), True, None),
        ((0, 15), "redelivered", (0, 5), False, "rows"),
    ]

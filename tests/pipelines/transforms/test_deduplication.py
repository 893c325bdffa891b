"""The smallest position wins; every other record names it, and nothing is dropped."""

from collections.abc import Sequence

from lakehouse.duck import open_memory
from pipelines.transforms.deduplication import decide

KNOWN = (
    'topic varchar, "partition" int, "offset" bigint, event_id varchar, identity varchar, '
    "content_hash varchar, amount decimal(18, 4)"
)
RECORDS = f"{KNOWN}, reason varchar"
Fact = tuple[object, ...]


def record(
    position: tuple[int, int], event_id: str, content: str, reason: str | None = None
) -> Fact:
    return ("t", *position, event_id, event_id.partition("-")[0], content, None, reason)


def outcomes(records: Sequence[Fact], known: Sequence[Fact] = ()) -> list[tuple[object, ...]]:
    """Place, outcome, place of the winner, and whether silver had accepted it."""
    with open_memory() as duck:
        for name, columns, rows in (("records", RECORDS, records), ("known", KNOWN, known)):
            duck.execute(f"create table {name} ({columns})")
            for row in rows:
                duck.execute(f"insert into {name} values ({', '.join('?' * len(row))})", row)
        decide(duck)
        return duck.execute("""
            select "partition", "offset", outcome, winner_partition, winner_offset, is_existing
            from decided order by all""").fetchall()


def test_every_record_of_a_batch_has_one_outcome() -> None:
    assert outcomes(
        [
            record((0, 9), "a-1", "x"),
            record((0, 3), "a-1", "x"),
            record((0, 5), "a-2", "x"),
            record((1, 1), "a-1", "other"),
            record((1, 7), "b-1", "x"),
            record((1, 2), "b-1", "y", "bad_price"),
        ]
    ) == [
        (0, 3, "accepted", 0, 3, False),
        (0, 5, "repeated", 0, 3, False),
        (0, 9, "redelivered", 0, 3, False),
        (1, 1, "conflict", 0, 3, False),
        (1, 2, "quarantined", None, None, False),
        (1, 7, "accepted", 1, 7, False),
    ]


def test_records_are_decided_against_what_was_accepted() -> None:
    known = [
        record((0, 5), "kept-1", "x")[:-1],
        record((0, 6), "beaten-1", "x")[:-1],
        record((0, 7), "beaten2-1", "x")[:-1],
        record((0, 8), "again-1", "x")[:-1],
        record((0, 9), "stranger-1", "x")[:-1],
    ]
    records = [
        record((0, 15), "kept-1", "x"),
        record((0, 2), "beaten-1", "x"),
        record((0, 3), "beaten2-1", "other"),
        record((0, 8), "again-1", "x"),
    ]
    assert outcomes(records, known) == [
        (0, 2, "accepted", 0, 2, False),
        (0, 3, "accepted", 0, 3, False),
        (0, 6, "redelivered", 0, 2, True),
        (0, 7, "conflict", 0, 3, True),
        (0, 15, "redelivered", 0, 5, False),
    ]


def test_equal_ids_of_two_topics_are_two_facts() -> None:
    other = ("u", *record((0, 1), "a-1", "y")[1:])
    assert [row[2] for row in outcomes([record((0, 3), "a-1", "x"), other])] == ["accepted"] * 2

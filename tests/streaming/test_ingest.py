"""Kafka to bronze: every record once, whatever happens to the checkpoint."""

import json
import shutil
from typing import Any

import pytest
from kafka import KafkaProducer

from lakehouse.contracts.tables import BRONZE_EVENTS
from lakehouse.contracts.topics import ERP_INVOICE_LINES, WEB_EVENTS
from lakehouse.errors import LakeError
from lakehouse.ledger import chain, commits
from lakehouse.tables import current_version
from operations.recovery.reset import reset_query
from streaming.checkpoints import checkpoint_dir, start_file
from tests.lake_state import LakeState

pytestmark = [pytest.mark.spark, pytest.mark.kafka]

ERP = ERP_INVOICE_LINES.name
COLUMNS = ("topic", "key", "value", "producer_session", "producer_seq")


def send(lake: LakeState, *records: tuple[str, bytes | None, bytes | None, list[Any]]) -> None:
    producer = KafkaProducer(bootstrap_servers=lake.settings.bootstrap)
    for topic, key, value, headers in records:
        producer.send(topic, key=key, value=value, headers=headers)
    producer.close()


def positions(lake: LakeState) -> list[tuple[Any, ...]]:
    return lake.rows(BRONZE_EVENTS, "topic", "partition", "offset")


def test_records_land_byte_for_byte_with_the_ranges_of_their_batch(kafka_lake: LakeState) -> None:
    headers = [("producer_session", b"s1"), ("producer_seq", b"7")]
    odd = [("producer_session", b"s2"), ("producer_seq", b"seven")]
    sent = [
        (ERP, b"k", b'{"a": 1}', headers),
        (ERP, b"tombstone", None, []),
        (WEB_EVENTS.name, b"\xff", b"\x00\xff", odd),
    ]
    send(kafka_lake, *sent)
    kafka_lake.ingest()

    assert kafka_lake.rows(BRONZE_EVENTS, *COLUMNS) == [
        (ERP, b"k", b'{"a": 1}', "s1", 7),
        (ERP, b"tombstone", None, None, None),
        (WEB_EVENTS.name, b"\xff", b"\x00\xff", "s2", None),
    ]
    commits.derive(kafka_lake.settings)
    assert commits.derive(kafka_lake.settings) == 0
    line = [
        each
        for each in chain.lines(commits.CHAIN, settings=kafka_lake.settings)
        if each["table"] == BRONZE_EVENTS.name and "ranges" in each
    ]
    assert [(each["query"], each["batch_id"], each["rows"]) for each in line] == [("ingest", 0, 3)]
    stated = {
        (topic, int(partition), offset)
        for topic, partitions in line[0]["ranges"].items()
        for partition, (start, end) in partitions.items()
        for offset in range(start, end)
    }
    assert sorted(stated) == positions(kafka_lake)


def test_a_batch_whose_checkpoint_commit_is_lost_lands_once(kafka_lake: LakeState) -> None:
    """T01: the window between the sink's commit and the checkpoint's."""
    send(kafka_lake, *((ERP, b"k", b"%d" % n, []) for n in range(5)))
    kafka_lake.ingest()
    landed, version = (
        positions(kafka_lake),
        current_version(BRONZE_EVENTS, settings=kafka_lake.settings),
    )
    commits = checkpoint_dir("ingest", settings=kafka_lake.settings) / "commits"
    for path in commits.glob("*0*"):
        path.unlink()
    kafka_lake.ingest()
    assert (commits / "0").exists()
    assert positions(kafka_lake) == landed
    assert current_version(BRONZE_EVENTS, settings=kafka_lake.settings) == version


def test_a_lost_checkpoint_stops_and_a_reset_goes_on_after_the_last_record(
    kafka_lake: LakeState,
) -> None:
    """T07."""
    settings = kafka_lake.settings
    send(kafka_lake, *((ERP, b"%d" % n, b"a%d" % n, []) for n in range(8)))
    kafka_lake.ingest()
    assert not start_file("ingest", settings=settings).exists()
    shutil.rmtree(checkpoint_dir("ingest", settings=settings))
    with pytest.raises(LakeError, match=r"checkpoints/ingest/metadata is missing.*lake reset ing"):
        kafka_lake.ingest()

    reset_query("ingest", settings=settings)
    send(kafka_lake, *((ERP, b"%d" % n, b"b%d" % n, []) for n in range(8)))
    kafka_lake.ingest()
    # Of partitions that this lake never read, a reset reads all: others' records too.
    mine = f"topic = '{ERP}'"
    values = [bytes(value) for (value,) in kafka_lake.rows(BRONZE_EVENTS, "value", where=mine)]
    assert values == [b"%c%d" % (letter, n) for letter in b"ab" for n in range(8)]
    assert len(set(kafka_lake.rows(BRONZE_EVENTS, "partition", "offset", where=mine))) == 16
    kinds = [
        (line["kind"], line["operation"], line["query"])
        for line in chain.lines("operations", settings=settings)
    ]
    assert kinds == [("intent", "reset", "ingest"), ("done", "reset", "ingest")]


def test_a_damaged_offset_file_is_named_with_the_command(kafka_lake: LakeState) -> None:
    """T08."""
    settings = kafka_lake.settings
    send(kafka_lake, (ERP, b"k", b"1", []))
    kafka_lake.ingest()
    path = checkpoint_dir("ingest", settings=settings) / "offsets" / "0"
    lines = path.read_text().splitlines()
    path.write_text("\n".join([*lines[:-1], json.dumps({"torn": 1})]))
    (path.parent / ".0.crc").unlink(missing_ok=True)
    (checkpoint_dir("ingest", settings=settings) / "commits" / "0").unlink()
    with pytest.raises(LakeError, match="ingest"):
        kafka_lake.ingest()

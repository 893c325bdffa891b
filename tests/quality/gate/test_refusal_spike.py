"""Refusals are judged per source, and what a user did about them ends the state."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lakehouse.contracts import dead_letter_topic
from lakehouse.contracts.tables import BRONZE_EVENTS, QUARANTINE, Table
from lakehouse.contracts.topics import CATALOG_PRODUCTS, ERP_INVOICE_LINES, WEB_EVENTS, WEB_ORDERS
from lakehouse.ledger import chain, commits
from lakehouse.settings import Settings
from lakehouse.tables import location
from quality.gate.refusal_spike import SourceRefusals, refusals, spike_row
from quality.gate.verdicts import GateResult
from tests.quality.conftest import write_delta

ERP, ORDERS, EVENTS = ERP_INVOICE_LINES.name, WEB_ORDERS.name, WEB_EVENTS.name
NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("records", "refused", "again", "expected"),
    [
        (0, 0, 0, False),
        (1, 1, 0, True),
        (2, 1, 0, False),
        (3, 2, 0, True),
        (50, 50, 0, True),
        (100, 51, 0, True),
        (300, 135, 0, True),
        (200, 100, 0, False),
        (2019, 101, 0, True),
        (2020, 101, 0, False),
        (2040, 102, 0, False),
        # what a backfill refuses is no new record: few of it pass, many don't
        (0, 0, 100, False),
        (0, 0, 101, True),
        (10, 0, 100, False),
        (2000, 60, 60, True),
    ],
)
def test_a_spike_is_more_than_half_or_more_than_five_percent_and_a_hundred(
    records: int, refused: int, again: int, expected: bool
) -> None:
    assert SourceRefusals(ERP, records, refused, again).is_spike is expected


def test_a_spike_blocks_by_its_source_and_says_how_to_go_on() -> None:
    busy, quiet = SourceRefusals(EVENTS, 10_354, 3), SourceRefusals(ORDERS, 20, 0)
    calm = spike_row([busy, quiet])
    assert (calm["success"], calm["detail"]) == (True, "")
    assert calm["observed"] == (
        "3 of 10,354 records refused in web.events.v1 since the last publish."
    )
    assert spike_row([quiet])["observed"] == "no record refused since the last publish."
    raging = GateResult((), {}, 0.1).including(
        spike_row([SourceRefusals(ERP, 300, 135), busy, quiet], run_id="r7")
    )
    assert raging.blocking == (
        {
            "rule": "refusals.few_per_source",
            "suite": "refusals",
            "table": QUARANTINE.name,
            "expectation": "refusal_spike",
            "column": "",
            "severity": "block",
            "status": "failed",
            "success": False,
            "observed": "135 of 300 records refused in erp.invoice_lines.v1 since the last "
            "publish.",
            "detail": "See the reasons with `lake quarantine list`. Correct the source and send it "
            "again: a refusal counts no more once its line is accepted. Or, after a change of a "
            "rule, run `lake quarantine replay`. Or take it as it is with "
            "`lake publish --accept r7 --reason …`.",
            "meaning": "Of a source's new records at most half, and at most 5 % or 100, are "
            "refused.",
        },
    )


TYPES = {"string": pa.string(), "int": pa.int32(), "bigint": pa.int64(), "binary": pa.binary()}


class Lake:
    """Bronze and quarantine of a few records, and the ledger's lines of their commits."""

    def __init__(self, home: Path) -> None:
        self.settings = Settings(home=home)
        self.batches: list[list[dict[str, Any]]] = []
        self.refused: list[dict[str, Any]] = []

    def land(self, topic: str, *messages: dict[str, Any] | bytes, refused: bool = False) -> None:
        """One ingest batch of one topic, a minute after the one before."""
        start = sum(row["topic"] == topic for batch in self.batches for row in batch)
        at = NOON + timedelta(minutes=len(self.batches))
        rows = [
            {
                "topic": topic,
                "partition": 0,
                "offset": offset,
                "value": message if isinstance(message, bytes) else json.dumps(message).encode(),
                "kafka_at": at,
            }
            for offset, message in enumerate(messages, start)
        ]
        self.batches.append(rows)
        if refused:
            number = len(self.batches)
            self.refused += [
                {**row, "raw_value": None, "reason": "bad_date", "refined_batch": number}
                for row in rows
            ]
        line = {"kind": "commit", "table": BRONZE_EVENTS.name, "version": len(self.batches)}
        ranges = {topic: {"0": [start, start + len(messages)]}}
        chain.write(commits.CHAIN, {**line, "ranges": ranges}, settings=self.settings)

    def judge(self, *, since: int = 0, is_rebuilt: bool = False) -> list[SourceRefusals]:
        """Refusals since a publish that held so many batches; 0 before the first publish."""
        for table, batches in ((BRONZE_EVENTS, self.batches), (QUARANTINE, [self.refused])):
            self._write(table, batches)
        known = {BRONZE_EVENTS.name: since, QUARANTINE.name: 0} if since else {}
        if is_rebuilt:
            del known[QUARANTINE.name]
        return refusals(
            self.settings,
            versions={BRONZE_EVENTS.name: len(self.batches), QUARANTINE.name: 1},
            since=known,
            since_batch=since or None,
        )

    def _write(self, table: Table, batches: list[list[dict[str, Any]]]) -> None:
        folder = Path(location(table, settings=self.settings))
        folder.mkdir(parents=True)
        other = {"timestamp": pa.timestamp("us", "UTC"), "decimal(18,4)": pa.decimal128(18, 4)}
        schema = pa.schema([(each.name, {**TYPES, **other}[each.type]) for each in table.columns])
        paths = []
        for number, rows in enumerate(batches):
            paths.append(folder / f"{number}.parquet")
            pq.write_table(pa.Table.from_pylist(rows, schema), paths[-1])
        write_delta(folder, table, paths)


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path)


def invoice_line(number: int, invoice: str | None = "10", **fields: Any) -> dict[str, Any]:
    return {"event_id": f"e{number}", "InvoiceNo": invoice, "line_number": number, **fields}


def lines(count: int, invoice: str = "10") -> list[dict[str, Any]]:
    return [invoice_line(number, invoice) for number in range(1, count + 1)]


def test_each_source_is_counted_by_itself_with_its_dead_letters(lake: Lake) -> None:
    lake.land(ERP, *lines(3))
    lake.land(ERP, *lines(2, "11"), refused=True)
    lake.land(EVENTS, *[{"event_id": f"w{number}"} for number in range(40)])
    lake.land(dead_letter_topic(EVENTS), {"value": "{}"}, refused=True)
    assert lake.judge() == [SourceRefusals(ERP, 5, 2), SourceRefusals(EVENTS, 41, 1)]


def test_only_what_came_since_the_last_publish_counts(lake: Lake) -> None:
    lake.land(ERP, *lines(3), refused=True)
    lake.land(ERP, *lines(2, "11"), refused=True)
    lake.land(EVENTS, {"event_id": "w"})
    lake.refused[0]["replayed_at"] = NOON
    lake.refused[3]["replayed_at"] = NOON
    lake.refused[4]["refined_batch"] = 1  # by its position it is new all the same
    assert lake.judge(since=1) == [SourceRefusals(ERP, 2, 1), SourceRefusals(EVENTS, 1, 0)]


def test_old_records_that_a_backfill_refuses_count_unless_the_table_was_rebuilt(
    tmp_path: Path,
) -> None:
    for is_rebuilt, expected in ((False, 3), (True, 0)):
        lake = Lake(tmp_path / str(is_rebuilt))
        lake.land(ERP, *lines(3), refused=True)
        lake.land(ERP, *lines(9, "11"))
        for row in lake.refused:
            row["refined_batch"] = 7
        assert lake.judge(since=1, is_rebuilt=is_rebuilt) == [SourceRefusals(ERP, 9, 0, expected)]


def test_a_corrected_file_ends_the_spike_of_the_broken_one(lake: Lake) -> None:
    """Every line refused, then all of them sent again with a readable date."""
    lake.land(ERP, *lines(300), refused=True)
    lake.land(ERP, *[{**line, "event_id": f"x{line['event_id']}"} for line in lines(300)])
    assert lake.judge() == [SourceRefusals(ERP, 600, 0)]


def test_a_refusal_stays_until_its_own_line_is_accepted(lake: Lake) -> None:
    lake.land(ERP, invoice_line(1, "12"))  # accepted before the refusal: says nothing of it
    lake.land(
        ERP,
        *lines(3),  # 1 and 3 come again, 3 refused once more
        invoice_line(1, "11.0"),  # comes again as 11
        invoice_line(1, "12"),
        invoice_line(1, None),
        b"\xff",
        b"[1",
        refused=True,
    )
    lake.land(ERP, invoice_line(1), invoice_line(1, "11"), invoice_line(4))
    lake.land(ERP, invoice_line(3), refused=True)
    assert lake.judge() == [SourceRefusals(ERP, 13, 7)]


def test_what_comes_again_is_known_by_the_id_of_its_source(lake: Lake) -> None:
    order, event, product = {"order_id": "W1"}, {"event_id": "e"}, {"event_id": "p"}
    lake.land(ORDERS, {**order, "event_id": "o1"}, {"order_id": "W2"}, refused=True)
    lake.land(dead_letter_topic(EVENTS), {"value": json.dumps(event)}, {}, refused=True)
    lake.land(CATALOG_PRODUCTS.name, product, refused=True)
    lake.refused[-1]["reason"] = "conflict"  # the id was accepted before: nothing was corrected
    lake.land(ORDERS, {**order, "event_id": "o2"})
    lake.land(EVENTS, event)
    lake.land(CATALOG_PRODUCTS.name, product, product, product)
    assert lake.judge() == [
        SourceRefusals(CATALOG_PRODUCTS.name, 4, 1),
        SourceRefusals(EVENTS, 3, 1),
        SourceRefusals(ORDERS, 3, 1),
    ]

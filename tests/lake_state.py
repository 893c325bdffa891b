"""A state folder under test: records landed in bronze by hand, refined, published and read back.

In: a Spark session and settings of an empty or copied state. Out: what each step left behind, as
plain sorted rows. The tests of streams, transforms, ledger and publish share it.
"""

import dataclasses
import functools
import itertools
import json
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from lakehouse.contracts import dead_letter_topic
from lakehouse.contracts.amounts import line_amount
from lakehouse.contracts.arrow import arrow_schema
from lakehouse.contracts.erp_lines import canonical_row, event_id_of, line_digest
from lakehouse.contracts.tables import BRONZE_EVENTS, Table
from lakehouse.contracts.topics import (
    CATALOG_PRODUCTS,
    CRM_CUSTOMERS,
    ERP_COLUMNS,
    ERP_INVOICE_LINES,
    WEB_EVENTS,
    WEB_ORDERS,
)
from lakehouse.duck import delta_relation, open_lake
from lakehouse.settings import Settings
from lakehouse.stages import StageLog, TreeMeter
from lakehouse.tables import Transaction, append_rows
from pipelines.publishing.publish import PublishOutcome, Workers, publish
from pipelines.silver import routing
from pipelines.silver.routing import BatchOutcome
from pipelines.transforms.web import refine_web_order
from quality.audit.equation import Equation
from storefront.messages import Message

if TYPE_CHECKING:
    import pytest
    from pyspark.sql import DataFrame, SparkSession

ARRIVED = datetime(2011, 12, 10, 9, 30, tzinfo=UTC)
LINE = ("536365", "85123A", "WHITE HEART", "6", "12/1/2010 8:26", "2.55", "17850.0", "France")
NewSettings = Callable[..., Settings]
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Record:
    """A Kafka record to be in bronze."""

    topic: str
    value: bytes | None
    offset: int
    partition: int = 0
    session: str | None = None
    seq: int | None = None


def texts(**changes: str | None) -> tuple[str | None, ...]:
    """The eight texts of a sound sale, but for `changes`."""
    return tuple(changes.get(name, text) for name, text in zip(ERP_COLUMNS, LINE, strict=True))


def erp_event_id(row: Sequence[str | None], occurrence: int = 1) -> str:
    """Id of an ERP line."""
    canonical = canonical_row(row)
    return event_id_of(canonical, line_digest(canonical), occurrence)


def erp_value(
    *, occurrence: int = 1, fields: Mapping[str, Any] | None = None, **line: Any
) -> bytes:
    """Message of one ERP line; `fields` change the message, the others its texts."""
    row = texts(**line)
    body = {
        "event_id": erp_event_id(row, occurrence),
        "schema_version": 1,
        "occurred_at": "2011-12-10T08:00:00Z",
        **dict(zip(ERP_COLUMNS, row, strict=True)),
        "row_number": 1,
        "line_number": 1,
    }
    return json.dumps({**body, **(fields or {})}).encode()


def erp(offset: int, *, partition: int = 0, **facts: Any) -> Record:
    """Record of one ERP line."""
    return Record(ERP_INVOICE_LINES.name, erp_value(**facts), offset, partition)


def web_order(offset: int, *lines: Mapping[str, Any], partition: int = 0, **fields: Any) -> Record:
    """Record of one web order."""
    sound = {"sku": "LAMP", "description": "red lamp", "quantity": 2, "unit_price": "2.50"}
    body = {
        "event_id": "order-1",
        "schema_version": 1,
        "occurred_at": "2011-12-10T08:00:00Z",
        "order_id": "W-1",
        "order_kind": "sale",
        "customer_id": "12345",
        "session_id": "s-1",
        "country": "France",
        "currency": "GBP",
        "lines": [{**sound, **line} for line in lines or ({},)],
    }
    return Record(WEB_ORDERS.name, json.dumps({**body, **fields}).encode(), offset, partition)


def message(topic: str, offset: int, **fields: Any) -> Record:
    """Record of any topic with the given fields."""
    body = {"schema_version": 1, "occurred_at": "2011-12-10T08:00:00Z", **fields}
    return Record(topic, json.dumps(body).encode(), offset)


def customer(offset: int, event_id: str, **changes: Any) -> Record:
    """Record of a customer's change."""
    person = {"customer_id": "12345", "name": "Ada", "email": "ada@example.com"}
    place = {"country": "France", "marketing_consent": "yes"}
    fields = {"event_id": event_id, **person, **place, **changes}
    return message(CRM_CUSTOMERS.name, offset, **fields)


def everything() -> list[Record]:
    """A batch that writes to every silver table."""
    lamp = {"sku": "LAMP", "description": "lamp", "category": "light", "unit_price": "2.50"}
    visit = {"session_id": "s", "visitor_id": "v", "event_type": "page_view"}
    return [
        erp(0),
        erp(1),
        erp(2, occurrence=2),
        erp(3, Quantity="six"),
        web_order(0, {}, {"sku": "SHADE"}),
        web_order(1, {}, country="Spain"),
        customer(0, "customer-1"),
        customer(1, "customer-1"),
        message(CATALOG_PRODUCTS.name, 0, event_id="product-1", **lamp, status="active"),
        message(WEB_EVENTS.name, 0, event_id="visit-1", **visit),
        Record(dead_letter_topic(ERP_INVOICE_LINES.name), b'{"event_id": "too-large"}', 0),
    ]


def bronze_rows(records: Iterable[Record], *, batch_id: int = 0) -> pa.Table:
    """Records as bronze rows."""
    rows = [
        (
            *(each.topic, each.partition, each.offset, b"key"),
            *(each.value, each.session, each.seq, ARRIVED, ARRIVED, batch_id),
        )
        for each in records
    ]
    names = BRONZE_EVENTS.column_names()
    return pa.Table.from_pylist(
        [dict(zip(names, row, strict=True)) for row in rows], arrow_schema(BRONZE_EVENTS)
    )


def bronze_frame(spark: "SparkSession", records: Iterable[Record]) -> "DataFrame":
    """Records as bronze rows in Spark."""
    return spark.createDataFrame(bronze_rows(records))


@dataclass
class LakeState:
    """One state folder, and the session that works on it."""

    spark: "SparkSession"
    settings: Settings
    landed: int = field(default=0)

    def land(self, *records: Record) -> None:
        """Append records to bronze as one ingest batch, with the offset ranges it states."""
        ranges: dict[str, dict[str, list[int]]] = {}
        for each in sorted(records, key=lambda each: (each.topic, each.partition, each.offset)):
            span = ranges.setdefault(each.topic, {}).setdefault(
                str(each.partition), [each.offset, each.offset]
            )
            span[1] = each.offset + 1
        append_rows(
            bronze_rows(records, batch_id=self.landed).to_reader(),
            BRONZE_EVENTS,
            settings=self.settings,
            transaction=Transaction("landed-by-a-test", self.landed),
            metadata={"query": "ingest", "batch_id": self.landed, "ranges": ranges},
        )
        self.landed += 1

    def ingest(self) -> None:
        """Run the ingest query to the topics' present end."""
        from streaming.ingest import QUERY, start_ingest
        from streaming.queries import await_end

        await_end(start_ingest(self.spark, settings=self.settings, follow=False), name=QUERY)

    def refine(self) -> list[BatchOutcome]:
        """Run the refine query to bronze's present end."""
        from streaming.queries import await_end
        from streaming.refine import QUERY, start_refine

        outcomes: list[BatchOutcome] = []
        query = start_refine(
            self.spark, settings=self.settings, follow=False, on_batch=outcomes.append
        )
        await_end(query, name=QUERY)
        return outcomes

    def rows(self, table: Table, *columns: str, where: str = "true") -> list[tuple[Any, ...]]:
        """Rows of a table in order, of all columns or some."""
        names = ", ".join(f'"{name}"' for name in columns or table.column_names())
        relation = delta_relation(self.settings, table.name)
        with open_lake(self.settings) as lake:
            return lake.execute(
                f"select {names} from {relation} where {where} order by all"
            ).fetchall()

    def dispositions(self) -> dict[tuple[str, int, int], str]:
        """Where each record is, by position."""
        from lakehouse.tables import current_versions
        from quality.audit import dispositions
        from quality.audit.equation import Pinned

        with open_lake(self.settings) as lake:
            pinned = Pinned(lake, self.settings, current_versions(self.settings))
            dispositions.prepare(pinned)
            found: dict[tuple[str, int, int], str] = {}
            for topic, partition, offset, place in pinned.rows(
                "select topic, part, pos, place from places"
            ):
                position = (topic, partition, offset)
                found[position] = f"{found[position]} and {place}" if position in found else place
        return found

    def copy(self, home: Path, *, kafka: bool = False) -> "LakeState":
        """The same state in another folder, free to be damaged; with its Kafka's data if asked."""
        return LakeState(self.spark, copied(self.settings, home, kafka=kafka), self.landed)


@dataclass(frozen=True)
class Published:
    """A state published twice, and the pointer's bytes after the first time."""

    lake: LakeState
    earlier_pointer: bytes

    @property
    def settings(self) -> Settings:
        return self.lake.settings


def copied(settings: Settings, home: Path, *, kafka: bool = False) -> Settings:
    """A copy of a state folder; its jars are shared."""
    left_out = shutil.ignore_patterns(*(() if kafka else ("kafka",)))
    shutil.copytree(settings.home, home, symlinks=True, ignore=left_out)
    return Settings.model_validate({**settings.model_dump(), "home": home})


def bring_into_service(settings: Settings, workers: Workers, **options: Any) -> PublishOutcome:
    """Publish what the state holds; the outcome, also where the publish was not needed."""
    workers.gate._settings = settings  # one warm gate for all states of the tests
    outcome = PublishOutcome(options.pop("run_id", f"test-{next(_numbers)}"))
    publish(
        settings,
        outcome=outcome,
        log=StageLog(TreeMeter()),
        workers=lambda: workers,
        **options,
    )
    return outcome


def messages_of(*records: Record) -> list[Message]:
    """Records as a source hands them to the producer, with the money that the source states."""
    found = []
    for each in records:
        body = json.loads(each.value or b"{}")
        amount = None
        if each.topic == ERP_INVOICE_LINES.name:
            amount = line_amount(body["Quantity"], body["UnitPrice"])
        elif each.topic == WEB_ORDERS.name:
            parts = (line["quantity"] * Decimal(line["unit_price"]) for line in body["lines"])
            amount = sum(parts, Decimal(0))
        key = body.get("InvoiceNo") or body["event_id"]
        found.append(Message(each.topic, key, body["event_id"], each.value or b"", amount))
    return found


def trade_in(monkeypatch: "pytest.MonkeyPatch", *currencies: str) -> None:
    """Change a rule: the currencies in which the web shop's orders are accepted."""
    function = functools.partial(refine_web_order, currencies=currencies)
    routes = tuple(
        dataclasses.replace(route, refine=function) if route.topic is WEB_ORDERS else route
        for route in routing.ROUTES
    )
    monkeypatch.setattr(routing, "ROUTES", routes)


def failing(equations: Sequence[Equation]) -> dict[str, tuple[str, ...]]:
    """Differences by equation, of those that fail."""
    found: dict[str, tuple[str, ...]] = {}
    for each in equations:
        if not each.holds:
            found[each.equation] = (*found.get(each.equation, ()), *each.differences)
    return found

"""A shop's records as Kafka may hand them over: late, doubled, contradicted, over midnight.


In: a seed. Out: records with their places, and what they are worth by an oracle of its own: plain
loops over what the record functions say, the smallest place first, and no code of the live figures.
"""

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from random import Random
from typing import Any

import pyarrow as pa

from lakehouse.contracts.topics import ERP_INVOICE_LINES, WEB_EVENT_TYPES, WEB_EVENTS, WEB_ORDERS
from pipelines.live.facts import live_functions
from pipelines.silver.parsing import BRONZE_COLUMNS
from pipelines.transforms.records import Accepted, OrderLine, WebEvent
from tests.lake_state import erp_value

NOW = datetime(2011, 12, 13, 14, 0, tzinfo=UTC)
TODAY = date(2011, 12, 13)
STEPS = WEB_EVENT_TYPES[:5]


@dataclass(frozen=True)
class Put:
    """A record at its place."""

    topic: str
    partition: int
    offset: int
    value: bytes

    @property
    def place(self) -> tuple[str, int, int]:
        return self.topic, self.partition, self.offset


def random_records(seed: int, *, visits: int = 40) -> list[Put]:
    """Records of three days around `NOW`, in order of their offsets in each partition."""
    shop = _Shop(Random(seed))  # noqa: S311 - nothing secret
    values = [each for _ in range(visits) for each in shop.visit()]
    values += [each for _ in range(visits // 4) for each in shop.till()]
    doubled = shop.random.sample(values, len(values) // 5)
    values += doubled + [(topic, shop.contradicted(value)) for topic, value in doubled[::4]]
    values += [(WEB_ORDERS.name, b"{"), (WEB_EVENTS.name, b'{"event_id": 1}')]
    shop.random.shuffle(values)
    ends: defaultdict[tuple[str, int], int] = defaultdict(int)
    found = []
    for topic, value in values:
        place = (topic, shop.random.randrange(2))
        found.append(Put(*place, ends[place], value))
        ends[place] += 1
    return found


def in_batches(records: Sequence[Put], seed: int) -> Iterator[pa.Table]:
    """The records in batches; some partitions hurry ahead, and some records are read twice."""
    random = Random(seed)  # noqa: S311 - nothing secret
    waiting = sorted(records, key=lambda each: (each.offset * random.uniform(0.5, 1), each.place))
    while waiting:
        size = random.randrange(1, 80)
        batch, waiting = waiting[:size], waiting[size:]
        again = random.sample(batch, 1) if random.random() < 0.3 else []
        yield table_of([*batch, *again] if random.random() < 0.5 else batch)
        if again:
            yield table_of(again)


def table_of(records: Sequence[Put]) -> pa.Table:
    """Records as the stream hands them over."""
    types = (pa.string(), pa.int32(), pa.int64(), pa.binary(), pa.timestamp("us", tz="UTC"))
    columns = zip(*((*each.place, each.value, NOW) for each in records), strict=True)
    return pa.table(
        {
            name: pa.array(list(values), kind)
            for name, values, kind in zip(BRONZE_COLUMNS, columns, types, strict=True)
        }
    )


def worth(records: Sequence[Put], day: date) -> dict[str, Decimal | None]:
    """KPIs of a day: what gold will say of it."""
    lines, events = _winning_rows(records)
    sold = [row for row in lines if row.order_date == day and row.line_class == "sale"]
    back = [row for row in lines if row.order_date == day and row.line_class == "cancellation"]
    gross = sum((row.line_amount for row in sold), Decimal(0))
    cancelled = sum((row.line_amount for row in back), Decimal(0))
    orders = len({(row.source_system, row.order_id) for row in sold})
    sessions: defaultdict[str, list[tuple[datetime, str, WebEvent]]] = defaultdict(list)
    for event_id, row in events:
        sessions[row.session_id].append((row.occurred_at, event_id, row))
    reached = [
        max(STEPS.index(row.event_type) + 1 if row.event_type in STEPS else 0 for *_, row in each)
        for each in sessions.values()
        if min(each)[2].event_date == day
    ]
    visits, carts, bought = (sum(step >= least for step in reached) for least in (1, 3, 5))
    customers = {row.customer_id for row in sold if row.customer_id is not None}
    return {
        "gross_revenue": gross,
        "cancelled_amount": cancelled,
        "net_revenue": gross + cancelled,
        "order_count": Decimal(orders),
        "average_order_value": _quotient(gross, orders),
        "item_quantity": Decimal(sum(row.quantity for row in sold)),
        "return_rate": _quotient(-cancelled, gross),
        "active_customers": Decimal(len(customers)),
        "conversion_rate": _quotient(bought, visits),
        "cart_abandonment_rate": _quotient(carts - bought, carts),
    }


def _quotient(part: Decimal | int, whole: Decimal | int) -> Decimal | None:
    if whole <= 0:
        return None
    return (Decimal(part) / Decimal(whole)).quantize(Decimal("0.0001"), ROUND_HALF_UP)


def _winning_rows(records: Sequence[Put]) -> tuple[list[OrderLine], list[tuple[str, WebEvent]]]:
    functions, winners = live_functions(), {}
    for record in sorted(records, key=lambda each: each.place):
        found = functions[record.topic](record.value)
        if isinstance(found, Accepted):
            winners.setdefault((record.topic, found.identity), found)
    rows = [(each.event_id, row) for each in winners.values() for row in each.rows]
    lines = [row for _, row in rows if isinstance(row, OrderLine)]
    return lines, [(event_id, row) for event_id, row in rows if isinstance(row, WebEvent)]


class _Shop:
    """Visits and tills with random times; everything that may happen happens often."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.number = 0

    def visit(self) -> list[tuple[str, bytes]]:
        """A visit's events, perhaps over midnight, and its order, perhaps with a credit note."""
        at, session = self._moment(), f"s-{self._next()}"
        steps = STEPS[: self.random.randrange(1, 6)]
        found = []
        for step in (*steps, "exposure"):
            at += timedelta(minutes=self.random.randrange(0, 40))
            fields = {"session_id": session, "visitor_id": f"v-{self.random.randrange(30)}"}
            found.append(self._message(WEB_EVENTS.name, at, **fields, event_type=step))
        if "purchase" in steps:
            order_id = f"W-{self._next()}"
            found.append(self._order(order_id, at, sign=1))
            if self.random.random() < 0.4:
                later = at + timedelta(hours=self.random.randrange(20))
                found.append(self._order(f"{order_id}-R", later, sign=-1))
        return found

    def till(self) -> list[tuple[str, bytes]]:
        """A line of the ERP on one of the days."""
        at = self._moment()
        value = erp_value(
            InvoiceNo=str(540_000 + self._next()),
            InvoiceDate=f"{at:%Y-%m-%d %H:%M}",
            Quantity=str(self.random.choice((1, 3, -2))),
            UnitPrice=self.random.choice(("2.55", "0", "19.999")),
        )
        return [(ERP_INVOICE_LINES.name, value)]

    def contradicted(self, value: bytes) -> bytes:
        """The same fact with another content."""
        fields = json.loads(value)
        if "lines" in fields:
            fields["lines"][0]["unit_price"] = "999.99"
        fields["country" if "country" in fields else "visitor_id"] = "Atlantis"
        return json.dumps(fields).encode()

    def _order(self, order_id: str, at: datetime, *, sign: int) -> tuple[str, bytes]:
        lines: list[dict[str, Any]] = [
            {
                "sku": self.random.choice(("LAMP", "SHADE", "POST")),
                "description": "thing",
                "quantity": sign * self.random.randrange(1, 9),
                "unit_price": f"{self.random.randrange(1, 9999) / 100:.2f}",
            }
            for _ in range(self.random.randrange(1, 4))
        ]
        return self._message(
            WEB_ORDERS.name,
            at,
            order_id=order_id,
            order_kind="sale" if sign > 0 else "cancellation",
            customer_id=self.random.choice((None, "12345", "12346")),
            session_id=None,
            country=self.random.choice(("France", "Spain")),
            currency="GBP",
            lines=lines,
        )

    def _message(self, topic: str, at: datetime, **fields: Any) -> tuple[str, bytes]:
        stamp = f"{at:%Y-%m-%dT%H:%M:%S}Z"
        head = {"event_id": f"e-{self._next()}", "schema_version": 1, "occurred_at": stamp}
        return topic, json.dumps({**head, **fields}).encode()

    def _moment(self) -> datetime:
        hours = self.random.choice((0, 1, 5, 13, 14, 15, 30, 38, 44, 60))
        return NOW - timedelta(hours=hours, minutes=self.random.randrange(60))

    def _next(self) -> int:
        self.number += 1
        return self.number

"""A seeded shop: messages of every kind and fault, and the truth about them, known beforehand.

In: a number of records and a seed. Out: messages for the real producer, and for each accepted fact
its id and money, by arithmetic that shares no code with the refinement.
"""

import json
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from lakehouse.contracts.topics import CATALOG_PRODUCTS, CRM_CUSTOMERS
from lakehouse.contracts.topics import WEB_EVENTS as WEB_EVENTS_TOPIC
from storefront.messages import Message
from tests.lake_state import Record, erp, erp_event_id, messages_of, texts, web_order

REFUSED = ({"Quantity": "many"}, {"UnitPrice": "1.23456"}, {"InvoiceDate": "2/30/2011 9:00"})


@dataclass
class Truth:
    """What must come out: money by accepted identity (None without money), losers by kind.

    An ERP line's identity is its hash, which all its repetitions share.
    """

    accepted: dict[str, Decimal | None] = field(default_factory=dict)
    losers: dict[str, int] = field(default_factory=dict)

    @property
    def money(self) -> Decimal:
        """Pounds of all accepted facts."""
        return sum((each for each in self.accepted.values() if each is not None), Decimal(0))

    @property
    def records(self) -> int:
        return len(self.accepted) + sum(self.losers.values())

    def lose(self, kind: str) -> None:
        self.losers[kind] = self.losers.get(kind, 0) + 1


def seeded_shop(
    count: int, *, seed: int, first: int = 0, only_orders: bool = False
) -> tuple[list[Message], Truth]:
    """`count` records in order of sending: 70 % ERP lines, 20 % of the web shop, 10 % losers.

    Args:
        count: How many records.
        seed: The same seed gives the same records.
        first: Number of the first order, where several shops share a lake.
        only_orders: The web shop sends orders, and no customers, products and visits.
    """
    dice = random.Random(seed)  # noqa: S311 - the same dice each time
    truth = Truth()
    sent: list[dict[str, Any]] = []
    records: list[Record] = []
    elsewhere: list[int] = []  # repetitions that may lie in another partition than the first
    for number in range(first, first + count):
        toss = dice.random()
        if toss < 0.02 and sent:
            elsewhere.append(len(records))
            records.append(erp(0, **dice.choice(sent)))
            truth.lose("redelivered")
        elif toss < 0.04 and sent:
            elsewhere.append(len(records))
            records.append(erp(0, **dice.choice(sent), occurrence=1_000_000 + number))
            truth.lose("repeated")
        elif toss < 0.05 and sent:
            line = dice.choice(sent)
            other = {"UnitPrice": "999", "event_id": _event_id(line)}
            records.append(erp(0, **line, fields=other))
            truth.lose("conflict")
        elif toss < 0.07:
            records.append(erp(0, InvoiceNo=str(500_000 + number), **dice.choice(REFUSED)))
            truth.lose("quarantined")
        elif toss < 0.80:
            line = _invoice_line(dice, number)
            sent.append(line)
            records.append(erp(0, **line))
            truth.accepted[_event_id(line).removesuffix("-1")] = int(line["Quantity"]) * Decimal(
                line["UnitPrice"]
            )
        else:
            record, event_id, money = _of_the_web(
                dice, number, share_of_orders=1.0 if only_orders else 0.4
            )
            records.append(record)
            truth.accepted[event_id] = money
    messages = messages_of(*records)
    for index in elsewhere:
        messages[index] = messages[index]._replace(key=f"elsewhere-{index}")
    return messages, truth


def _invoice_line(dice: random.Random, number: int) -> dict[str, str]:
    cancels = dice.random() < 0.05
    quantity = dice.randint(1, 30)
    return {
        "InvoiceNo": f"{'C' if cancels else ''}{500_000 + number}",
        "Quantity": str(-quantity if cancels else quantity),
        "UnitPrice": f"{Decimal(dice.randint(1, 99_999)) / 1000}",
        "InvoiceDate": f"{dice.randint(1, 12)}/{dice.randint(1, 28)}/2011 {dice.randint(8, 19)}:30",
        "StockCode": f"{dice.randint(20_000, 20_400)}",
        "CustomerID": f"{dice.randint(12_000, 12_300)}",
    }


def _event_id(line: Mapping[str, str]) -> str:
    return erp_event_id(texts(**line))


def _of_the_web(
    dice: random.Random, number: int, *, share_of_orders: float
) -> tuple[Record, str, Decimal | None]:
    event_id, day = f"web-{number}", f"2011-11-{dice.randint(1, 28):02}T09:30:00Z"
    kind = dice.random()
    if kind < share_of_orders:
        sold = [
            (dice.randint(1, 5), f"{dice.randint(1, 99)}.45") for _ in range(dice.randint(1, 3))
        ]
        lines = [
            {"sku": f"W-{n}", "quantity": pieces, "unit_price": price}
            for n, (pieces, price) in enumerate(sold)
        ]
        record = web_order(0, *lines, event_id=event_id, order_id=f"W-{number}", occurred_at=day)
        return record, event_id, sum((n * Decimal(price) for n, price in sold), Decimal(0))
    body: dict[str, Any] = {"event_id": event_id, "schema_version": 1, "occurred_at": day}
    person = f"{dice.randint(12_000, 12_300)}"
    if kind < 0.6:
        topic = CRM_CUSTOMERS
        body |= {"customer_id": person, "name": f"Person {person}", "country": "France"}
        body |= {"email": f"{person}@example.com", "marketing_consent": dice.choice(("yes", "no"))}
    elif kind < 0.7:
        topic = CATALOG_PRODUCTS
        body |= {"sku": f"W-{dice.randint(0, 50)}", "description": "lamp", "category": "light"}
        body |= {"unit_price": f"{dice.randint(1, 99)}.45", "status": "active"}
    else:
        topic = WEB_EVENTS_TOPIC
        body |= {"session_id": f"s-{number % 97}", "visitor_id": "v", "event_type": "page_view"}
    return Record(topic.name, json.dumps(body).encode(), 0), event_id, None

"""Order lines out of raw input: each once, with its class and its exact amount (rules 1 to 3).

In: rows of an ERP extract as texts, messages of the web shop as JSON. Out: `Line`s.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

Row = tuple[str | None, ...]
SHOP = ZoneInfo("Europe/London")


@dataclass(frozen=True)
class Line:
    """An order line that counts. `kind` is its class; `amount` is exact pounds."""

    source: str
    order: str
    kind: str
    sku: str
    name: str | None
    customer: str | None
    country: str
    day: date
    quantity: int
    amount: Decimal


def erp_lines(rows: Iterable[Row]) -> list[Line]:
    """Lines of an extract whose rows are all sound; equal rows count once."""
    found = []
    for number, code, text, pieces, when, price, customer, country in dict.fromkeys(rows):
        if None in (number, code, pieces, when, price):
            raise ValueError("the oracle counts sound rows only")
        quantity, unit_price = int(str(pieces)), Decimal(str(price))
        invoice = str(number)
        kind = _kind(invoice[0] == "A", invoice[0] == "C", quantity, unit_price)
        what = (str(code).strip().upper(), (text or "").strip() or None)
        who = (customer, country or "Unspecified", date.fromisoformat(str(when)[:10]))
        amount = quantity * unit_price
        found.append(Line("erp", invoice, kind, *what, *who, quantity, amount))
    return found


def web_lines(messages: Iterable[bytes]) -> list[Line]:
    """Lines of the web shop's orders; a message that comes again counts once."""
    found = []
    for order in unrepeated(messages):
        day = shop_day(order["occurred_at"])
        who = (order["customer_id"], order["country"], day)
        for line in order["lines"]:
            quantity, price = line["quantity"], Decimal(line["unit_price"])
            kind = _kind(False, order["order_kind"] == "cancellation", quantity, price)
            what = (line["sku"].upper(), line["description"].strip() or None)
            amount = quantity * price
            found.append(Line("web", order["order_id"], kind, *what, *who, quantity, amount))
    return found


def unrepeated(messages: Iterable[bytes]) -> list[dict[str, object]]:
    """Bodies of messages, of equal `event_id`s the first."""
    found: dict[str, dict[str, object]] = {}
    for each in messages:
        body = json.loads(each)
        found.setdefault(body["event_id"], body)
    return list(found.values())


def shop_day(moment: object) -> date:
    """Day in Europe/London of an RFC 3339 text."""
    return datetime.fromisoformat(str(moment).replace("Z", "+00:00")).astimezone(SHOP).date()


def _kind(is_adjustment: bool, is_cancellation: bool, quantity: int, price: Decimal) -> str:
    if is_adjustment:
        return "adjustment"
    if is_cancellation:
        return "cancellation"
    if quantity < 0:
        return "stock_movement"
    return "zero_price" if price == 0 else "sale"

"""Single order lines that break one rule each, and the shape of a planted defect.

In: a sound line of the invented shop. Out: `LINE_DEFECTS` (each breaks a rule that blocks) and
`ODD_LINES` (each breaks one that warns), for the proof and for the tests of the rules.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from lakehouse.contracts.tables import ORDER_LINES
from lakehouse.contracts.topics import WEB_ORDERS
from quality.proof.sample_shop import planted_line


@dataclass(frozen=True)
class PlantedDefect:
    """One defect: `damage` is SQL on the shop's tables, `line` one more order line.

    `check` is the full name of the one rule that must fail, and no other may.
    """

    name: str
    table: str
    check: str
    damage: str = ""
    line: Mapping[str, Any] = field(default_factory=dict)


def _line(check: str, name: str, **changes: Any) -> PlantedDefect:
    line = planted_line(**changes)
    return PlantedDefect(name, ORDER_LINES.name, f"order_lines.{check}", line=line)


_FREE = {"unit_price": Decimal(0), "line_amount": Decimal(0)}
_BACK = {"quantity": -3, "line_amount": Decimal("-7.65")}

LINE_DEFECTS = (
    _line("currency.known", "wrong currency: a line in another one", currency="XTS"),
    _line("line_class.known", "a line of an unknown class", line_class="refund"),
    _line("source_system.known", "a line of an unknown source", source_system="till"),
    _line(
        "source_system.of_its_topic",
        "a line of the ERP that says it is of the web shop",
        source_system="web",
    ),
    _line("event_id.filled", "an event_id of blanks", event_id="  "),
    _line("order_id.filled", "an order_id of blanks", order_id="  "),
    _line("sku.upper_case", "a stock code in small letters", sku="sku1"),
    _line(
        "order_date.is_shop_day",
        "a line on the day after its own",
        order_date=date(2011, 4, 6),
    ),
    _line(
        "order_date.in_range",
        "a line of the year 2100",
        ordered_at=datetime(2100, 5, 5, 12, tzinfo=UTC),
        order_date=date(2100, 5, 5),
        order_month="2100-05",
    ),
    _line(
        "order_month.of_order_date",
        "a line in the partition of another month",
        order_month="2011-05",
    ),
    _line(
        "line_amount.exact",
        "an amount a ten-thousandth off",
        line_amount=Decimal("7.6501"),
    ),
    _line(
        "line_amount.in_range",
        "an amount of a million million",
        quantity=20_000,
        unit_price=Decimal(50_000_000),
        line_amount=Decimal(1_000_000_000_000),
    ),
    _line(
        "quantity.in_range",
        "a line of more than a thousand million pieces",
        line_class="zero_price",
        quantity=1_000_000_001,
        **_FREE,
    ),
    _line("sale.quantity_not_negative", "a sale of minus three pieces", **_BACK),
    _line("sale.price_not_zero", "a sale without a price", **_FREE),
    _line(
        "stock_movement.quantity_negative",
        "a stock movement that adds pieces",
        line_class="stock_movement",
    ),
    _line("zero_price.price_is_zero", "a free line with a price", line_class="zero_price"),
    _line(
        "zero_price.quantity_not_negative",
        "a free line of minus three pieces",
        line_class="zero_price",
        quantity=-3,
        **_FREE,
    ),
    _line(
        "stock_movement.order_id",
        "a stock movement under an adjustment's number",
        line_class="stock_movement",
        order_id="A1",
        **_BACK,
    ),
    _line(
        "zero_price.order_id",
        "a free line under a cancellation's number",
        line_class="zero_price",
        order_id="C2",
        **_FREE,
    ),
    _line("sale.order_id", "a sale under a cancellation's number", order_id="c700001"),
    _line("adjustment.order_id", "an adjustment under a sale's number", line_class="adjustment"),
    _line(
        "cancellation.order_id",
        "a cancellation under a sale's number",
        line_class="cancellation",
        **_BACK,
    ),
)
ODD_LINES = (
    _line("sale.quantity_positive", "a sale of no piece", quantity=0, line_amount=Decimal(0)),
    _line(
        "sale.price_positive",
        "a sale at a negative price",
        unit_price=Decimal(-1),
        line_amount=Decimal(-3),
    ),
    _line(
        "cancellation.quantity_negative",
        "a cancellation of plus three pieces",
        order_id="C700001",
        line_class="cancellation",
    ),
    _line("line_number.from_one", "a line with the number 0", line_number=0),
    _line(
        "order_date.plausible",
        "a line of 2091, eighty years after the others",
        ordered_at=datetime(2091, 4, 1, 12, tzinfo=UTC),
        order_date=date(2091, 4, 1),
        order_month="2091-04",
    ),
    _line(
        "customer_id.known",
        "an order of a stranger",
        source_system="web",
        source_topic=WEB_ORDERS.name,
        order_id="W-1",
        customer_id="stranger",
    ),
)

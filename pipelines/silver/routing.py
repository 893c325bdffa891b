"""What becomes of each topic in silver, and how a batch counts its outcomes.

In: nothing. Out: the parser of each topic with the tables it fills, in the order of writing.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lakehouse.contracts.tables import (
    CUSTOMER_CONTACTS,
    CUSTOMERS,
    ORDER_LINES,
    PRODUCTS,
    TABLES,
    WEB_EVENTS,
    Table,
)
from lakehouse.contracts.topics import (
    CATALOG_PRODUCTS,
    CRM_CUSTOMERS,
    ERP_INVOICE_LINES,
    WEB_ORDERS,
    Topic,
)
from lakehouse.contracts.topics import WEB_EVENTS as WEB_EVENTS_TOPIC
from lakehouse.duck import delta_relation, open_lake
from lakehouse.settings import Settings
from pipelines.transforms.erp import line_identity, read_invoice_lines
from pipelines.transforms.web import (
    read_customers,
    read_products,
    read_web_events,
    read_web_orders,
)

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame


@dataclass(frozen=True)
class Refined:
    """How one topic becomes silver: its parser and the tables its payload fills."""

    topic: Topic
    parse: "Callable[[DataFrame], DataFrame]"
    tables: tuple[Table, ...]


REFINED = (
    Refined(CATALOG_PRODUCTS, read_products, (PRODUCTS,)),
    Refined(CRM_CUSTOMERS, read_customers, (CUSTOMER_CONTACTS, CUSTOMERS)),
    Refined(WEB_EVENTS_TOPIC, read_web_events, (WEB_EVENTS,)),
    Refined(WEB_ORDERS, read_web_orders, (ORDER_LINES,)),
    Refined(ERP_INVOICE_LINES, read_invoice_lines, (ORDER_LINES,)),
)
"""In the order of writing: order lines last."""


@dataclass
class BatchOutcome:
    """What one batch did: records and money by (topic, outcome)."""

    records: dict[str, dict[str, int]] = field(default_factory=dict)
    amounts: dict[str, dict[str, str]] = field(default_factory=dict)

    def count(self, *outcomes: str, topics: tuple[str, ...] = ()) -> int:
        return sum(
            number
            for topic, found in self.records.items()
            if not topics or topic in topics
            for outcome, number in found.items()
            if outcome in outcomes
        )

    def topics_of_flips(self) -> set[str]:
        """Topics of which an accepted record lost its place."""
        return {
            topic
            for topic, found in self.records.items()
            if any(name.startswith("flipped_") for name in found)
        }


def identity_of(topic: str) -> "Column":
    """Identity of a record by its event_id; `topic` names the column of its topic."""
    from pyspark.sql import functions as F

    erp = F.col(topic) == ERP_INVOICE_LINES.name
    return F.when(erp, line_identity()).otherwise(F.col("event_id"))


def payload_column(table: Table) -> str:
    """Column of a decided batch that holds the rows of a table."""
    return f"payload_{table.name.partition('.')[2]}"


def tables_in_order() -> tuple[Table, ...]:
    """Tables that accepted records fill, in the order of writing."""
    ordered = [table for refined in REFINED for table in refined.tables]
    return tuple(dict.fromkeys(ordered))


def last_refined_batch(settings: Settings, *, versions: Mapping[str, int] | None = None) -> int:
    """Highest refined_batch of any silver table, now or as pinned; 0 when silver is empty."""
    pinned = versions or {}
    stamped = [table for table in TABLES if "refined_batch" in table.column_names()]
    parts = [
        "select max(refined_batch) as number from "
        + delta_relation(settings, table.name, version=pinned.get(table.name))
        for table in stamped
    ]
    with open_lake(settings) as lake:
        found = lake.execute(f"select max(number) from ({' union all '.join(parts)})").fetchone()
    return int(found[0] or 0) if found else 0

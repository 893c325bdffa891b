"""What becomes of each topic in silver: its record function and the tables it fills.

In: nothing. Out: the routes in the order of writing, and how a batch counts its outcomes.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from lakehouse.contracts.tables import (
    CUSTOMER_CONTACTS,
    CUSTOMERS,
    ORDER_LINES,
    PRODUCTS,
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
from pipelines.transforms.erp import refine_invoice_line
from pipelines.transforms.records import (
    Accepted,
    Customer,
    CustomerContact,
    OrderLine,
    Product,
    Refused,
    Row,
    WebEvent,
)
from pipelines.transforms.web import (
    refine_customer,
    refine_product,
    refine_web_event,
    refine_web_order,
)

RecordFunction = Callable[[bytes | None], Accepted | Refused]


@dataclass(frozen=True)
class TopicRoute:
    """How one topic becomes silver. The last table is written last: a record there is settled."""

    topic: Topic
    refine: RecordFunction
    tables: tuple[Table, ...]


ROUTES = (
    TopicRoute(CATALOG_PRODUCTS, refine_product, (PRODUCTS,)),
    TopicRoute(CRM_CUSTOMERS, refine_customer, (CUSTOMER_CONTACTS, CUSTOMERS)),
    TopicRoute(WEB_EVENTS_TOPIC, refine_web_event, (WEB_EVENTS,)),
    TopicRoute(WEB_ORDERS, refine_web_order, (ORDER_LINES,)),
    TopicRoute(ERP_INVOICE_LINES, refine_invoice_line, (ORDER_LINES,)),
)
"""In the order of writing: order lines last."""

TABLE_OF: dict[type[Row], Table] = {
    Product: PRODUCTS,
    CustomerContact: CUSTOMER_CONTACTS,
    Customer: CUSTOMERS,
    WebEvent: WEB_EVENTS,
    OrderLine: ORDER_LINES,
}
"""The table of each kind of row, in the order of writing."""

SETTLING = tuple(dict.fromkeys(route.tables[-1] for route in ROUTES))
"""The last table of each route: what they hold is accepted."""

IS_SUPERSEDED = "superseded_"
"""Before the outcome of a record that was accepted until a smaller position came."""


@dataclass
class BatchOutcome:
    """What one batch did: records and money by (topic, outcome)."""

    records: dict[str, dict[str, int]] = field(default_factory=dict)
    amounts: dict[str, dict[str, str]] = field(default_factory=dict)

    def count(self, *outcomes: str, topics: tuple[str, ...] = ()) -> int:
        """Records of some outcomes, of all topics or some."""
        return sum(
            number
            for topic, counts in self.records.items()
            if not topics or topic in topics
            for outcome, number in counts.items()
            if outcome in outcomes
        )

    def superseded(self, *topics: str) -> int:
        """Accepted records that lost their place to a smaller position."""
        return sum(
            number
            for topic, counts in self.records.items()
            if not topics or topic in topics
            for outcome, number in counts.items()
            if outcome.startswith(IS_SUPERSEDED)
        )


def tables_in_order() -> tuple[Table, ...]:
    """Tables that accepted records fill, in the order of writing."""
    return tuple(TABLE_OF.values())


def topics_of(table: Table) -> tuple[str, ...]:
    """Topics whose accepted records fill a table."""
    return tuple(route.topic.name for route in ROUTES if table in route.tables)

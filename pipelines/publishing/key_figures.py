"""The key figures of a published gold version, as exact decimal texts.

In: a gold file. Out: the figures that the summary and the machine-readable report carry.
"""

from decimal import Decimal
from pathlib import Path

from lakehouse.contracts.gold import FCT_DAILY_SALES, FCT_ORDER_LINES, FCT_ORDERS
from lakehouse.duck import open_gold

_QUERIES = {
    "erp_gross_amount": f"select sum(gross_amount) from {FCT_DAILY_SALES} "
    "where source_system = 'erp'",
    "cancelled_amount": f"select sum(cancelled_amount) from {FCT_DAILY_SALES} "
    "where source_system = 'erp'",
    "erp_net_amount": f"select sum(net_amount) from {FCT_DAILY_SALES} where source_system = 'erp'",
    "erp_order_count": f"select count(*) from {FCT_ORDERS} "
    "where source_system = 'erp' and line_count > 0",
    "erp_line_count": f"select sum(line_count) from {FCT_ORDERS} where source_system = 'erp'",
    "erp_identified_amount": f"select sum(line_amount) from {FCT_ORDER_LINES} "
    "where source_system = 'erp' and line_class = 'sale' and customer_id is not null",
    "erp_identified_customer_count": f"select count(distinct customer_id) from {FCT_ORDER_LINES} "
    "where source_system = 'erp' and line_class = 'sale'",
    "web_gross_amount": f"select sum(gross_amount) from {FCT_DAILY_SALES} "
    "where source_system = 'web'",
    "web_order_count": f"select count(*) from {FCT_ORDERS} "
    "where source_system = 'web' and line_count > 0",
}


def key_figures(gold: Path) -> dict[str, str]:
    """Figures by name; money with all decimals, counts as whole numbers."""
    with open_gold(gold) as connection:
        found = {name: connection.execute(sql).fetchall()[0][0] for name, sql in _QUERIES.items()}
    return {name: format(Decimal(value or 0), "f") for name, value in found.items()}

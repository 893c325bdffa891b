"""Sums of the first days of the embedded history, by arithmetic on its very rows."""

from decimal import Decimal

import pyarrow.parquet as pq

from storefront.data import embedded_history

LAST_DAY = "2010-12-03"


def expected_sales() -> tuple[Decimal, Decimal]:
    """Gross sales and cancellations up to LAST_DAY."""
    gross, cancelled = Decimal(0), Decimal(0)
    for row in {tuple(each.items()) for each in pq.read_table(embedded_history()).to_pylist()}:
        line = dict(row)
        if str(line["InvoiceDate"])[:10] > LAST_DAY:
            continue
        invoice, quantity, price = str(line["InvoiceNo"]), line["Quantity"], line["UnitPrice"]
        amount = quantity * Decimal(str(price))
        if invoice.startswith("C"):
            cancelled += amount
        elif not invoice.startswith("A") and quantity >= 0:
            gross += amount
    return gross, cancelled

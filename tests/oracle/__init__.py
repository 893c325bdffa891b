"""An independent answer: every figure of money and counts again, in plain Python over raw input.

In: the rows of an ERP extract as texts, and the web shop's messages as JSON. Out: what gold must
hold, under the rules of docs/data.md. It imports nothing of the platform, so that no mistake can
be made twice. Run standalone: `.venv/bin/python -m tests.oracle_run`.
"""

from tests.oracle.customers import cohorts, customer_orders, rfm
from tests.oracle.experiments import experiments
from tests.oracle.lines import Line, Row, erp_lines, web_lines
from tests.oracle.sales import (
    chosen,
    daily_customers,
    daily_kpis,
    daily_sales,
    filtered_kpis,
    key_figures,
    monthly_sales,
    orders,
    products,
)
from tests.oracle.visits import Visits, visits

__all__ = [
    "Line",
    "Row",
    "Visits",
    "chosen",
    "cohorts",
    "customer_orders",
    "daily_customers",
    "daily_kpis",
    "daily_sales",
    "erp_lines",
    "experiments",
    "filtered_kpis",
    "key_figures",
    "monthly_sales",
    "orders",
    "products",
    "rfm",
    "visits",
    "web_lines",
]

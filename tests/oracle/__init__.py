"""An independent answer: every figure of money and counts again, in plain Python over raw input.

In: the rows of an ERP extract as texts, and the web shop's messages as JSON. Out: what gold must
hold, under the rules of docs/data.md. It imports nothing of the platform, so that no mistake can
be made twice. Alone: `.venv/bin/python -m tests.oracle_run`.
"""

from tests.oracle.customers import cohorts, rfm
from tests.oracle.lines import Line, Row, erp_lines, web_lines
from tests.oracle.sales import daily_customers, daily_kpis, daily_sales, monthly_sales, products
from tests.oracle.visits import Visits, visits

__all__ = [
    "Line",
    "Row",
    "Visits",
    "cohorts",
    "daily_customers",
    "daily_kpis",
    "daily_sales",
    "erp_lines",
    "monthly_sales",
    "products",
    "rfm",
    "visits",
    "web_lines",
]

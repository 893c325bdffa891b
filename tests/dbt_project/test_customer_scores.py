"""Scores and cohorts of random customers with many ties, against the oracle."""

import random
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lakehouse.contracts.tables import CUSTOMERS, ORDER_LINES, WEB_EVENTS
from tests import oracle

if TYPE_CHECKING:
    from conftest import LiveGold

DAYS = st.sampled_from([date(2010, 12, 31), date(2011, 1, 1), date(2011, 1, 31), date(2011, 3, 1)])
PEOPLE = [None, "9", "10", "100", "12346", "012346", "web-1", "web-10", "A"]
"""By number 9 comes before 10, by text after it; one number twice, and texts that are none."""

random_lines = st.lists(
    st.fixed_dictionaries(
        {
            "order_date": DAYS,
            "source_system": st.sampled_from(["erp", "web"]),
            "order_id": st.sampled_from(["1", "2", "3"]),
            "line_class": st.sampled_from(["sale", "sale", "sale", "cancellation", "adjustment"]),
            "customer_id": st.sampled_from(PEOPLE),
            "line_amount": st.sampled_from([Decimal("1.0000"), Decimal("1.0001"), Decimal(2)]),
        }
    ),
    min_size=1,
    max_size=16,
)


def of_oracle(line: dict[str, Any]) -> oracle.Line:
    who = (line["customer_id"], "France", line["order_date"])
    what = (line["source_system"], line["order_id"], line["line_class"], "A", None)
    return oracle.Line(*what, *who, 1, line["line_amount"])


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(lines=random_lines, chance=st.randoms(use_true_random=False))
def test_scores_and_cohorts_are_the_oracles_however_many_customers_tie(
    live_gold: "LiveGold", lines: list[dict[str, Any]], chance: random.Random
) -> None:
    rows = [
        {
            **line,
            "event_id": f"e{n}",
            "line_number": 1,
            "sku": "A",
            "quantity": 1,
            "ordered_at": line["order_date"],
            "order_month": f"{line['order_date']:%Y-%m}",
        }
        for n, line in enumerate(lines)
    ]
    live_gold.fill(CUSTOMERS, [])
    live_gold.fill(WEB_EVENTS, [])
    live_gold.fill(ORDER_LINES, chance.sample(rows, len(rows)))
    counted = [of_oracle(line) for line in lines]
    scores = live_gold.rows("select * from gold.fct_customer_rfm")
    assert {row[:1]: row[1:] for row in scores} == oracle.rfm(counted)
    cohorts = live_gold.rows("select * from gold.fct_cohort_retention")
    is_sold = any(each.kind == "sale" and each.customer is not None for each in counted)
    expected = oracle.cohorts(counted) if is_sold else {}
    assert {row[:2]: row[2:] for row in cohorts} == expected
    assert (len(scores), len(cohorts)) == (len(oracle.rfm(counted)), len(expected))

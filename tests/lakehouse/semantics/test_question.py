"""Questions to the semantic layer over a shop of a few lines, checked by hand."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from lakehouse.contracts.kpis import read_kpis
from lakehouse.errors import LakeError
from lakehouse.semantics.declared import read_layer
from lakehouse.semantics.question import Question, ask, compiled

D = Decimal
MONDAY, TUESDAY, NEXT = date(2011, 1, 3), date(2011, 1, 4), date(2011, 1, 10)


def answers(cursor: Any, *metrics: str, **asked: Any) -> list[tuple[Any, ...]]:
    rows = ask(cursor, Question(metrics, MONDAY, NEXT, **asked))
    return [(row.bucket, *row.place, *row.values.values()) for row in rows]


def test_a_period_as_a_whole_counts_each_order_and_customer_once(cursor: Any) -> None:
    assert answers(
        cursor, "net_revenue", "order_count", "active_customers", "new_customers", "repeat_rate"
    ) == [(None, D("18.3333"), 4, 2, 2, D("0.0000"))]


def test_a_quotient_is_of_the_sums_and_rounded_half_up(cursor: Any) -> None:
    assert answers(cursor, "average_order_value", "return_rate") == [
        (None, D("5.8333"), D("0.2143"))
    ]


def test_days_without_anything_are_zero_and_rates_have_no_value_there(cursor: Any) -> None:
    found = answers(cursor, "gross_revenue", "average_order_value", "conversion_rate", grain="day")
    assert [each[0].day for each in found] == [3, 4, 5, 6, 7, 8, 9, 10]
    assert found[0][1:] == (D("15.0000"), D("15.0000"), None)
    assert found[2][1:] == (0, None, None)
    assert found[7][1:] == (D("5.0000"), D("2.5000"), D("0.3333"))


def test_weeks_and_months_begin_on_their_first_day(cursor: Any) -> None:
    assert answers(cursor, "order_count", grain="week") == [(MONDAY, 2), (NEXT, 2)]
    assert answers(cursor, "order_count", grain="month") == [(date(2011, 1, 1), 4)]


def test_a_filtered_metric_counts_what_its_filter_lets_in(cursor: Any) -> None:
    found = answers(cursor, "active_customers", "new_customers", "repeat_rate", grain="week")
    assert found == [(MONDAY, 1, 1, D("0.0000")), (NEXT, 2, 1, D("0.5000"))]


def test_an_order_counts_in_each_country_where_it_has_a_line(cursor: Any) -> None:
    assert answers(cursor, "order_count", "gross_revenue", by=("country",)) == [
        (None, "France", 4, D("18.3333")),
        (None, "Spain", 1, D("5.0000")),
    ]


def test_filters_narrow_and_several_values_are_alternatives(cursor: Any) -> None:
    assert answers(cursor, "order_count", where={"country": ["Spain"]}) == [(None, 1)]
    assert answers(cursor, "order_count", where={"country": ["Spain", "France"]}) == [(None, 4)]
    assert answers(cursor, "order_count", where={"source": ["web"], "country": []}) == [(None, 1)]
    assert answers(cursor, "order_count", where={"country": ["x' or 'a'='a"]}) == [(None, 0)]


def test_products_and_segments_cut_too(cursor: Any) -> None:
    assert answers(cursor, "item_quantity", by=("product",), where={"is_product": ["true"]}) == [
        (None, "A", 4),
        (None, "B", 1),
    ]
    assert answers(cursor, "gross_revenue", by=("segment",)) == [
        (None, "loyal", D("19.0000")),
        (None, "new", D("1.0000")),
        (None, None, D("3.3333")),
    ]


def test_a_customer_with_two_versions_is_joined_once(cursor: Any) -> None:
    assert answers(cursor, "gross_revenue", by=("first_order_date",)) == [
        (None, MONDAY, D("19.0000")),
        (None, NEXT, D("1.0000")),
        (None, None, D("3.3333")),
    ]


def test_what_has_no_country_says_so(cursor: Any) -> None:
    with pytest.raises(LakeError, match=r"Visits.* can't be cut or filtered by country"):
        answers(cursor, "conversion_rate", by=("country",))
    with pytest.raises(LakeError, match="no metric 'profit'"):
        answers(cursor, "profit")


def test_the_small_table_answers_where_it_has_what_is_asked() -> None:
    layer = read_layer()
    model = layer.measured_by("net_revenue")
    leaves = layer.leaves("net_revenue")
    days: Any = {"first_day": MONDAY, "last_day": NEXT}

    def table(**asked: Any) -> str:
        sql, _ = compiled(layer, model, leaves, Question(("net_revenue",), **days, **asked))
        return sql.split("from ")[1].split("\n")[0]

    assert table(by=("country",)) == table(by=("segment",)) == "intermediate.int_orders_grouped"
    assert table(by=("product",)) == "gold.fct_order_lines"
    assert table(where={"product": ["A"]}) == "gold.fct_order_lines"
    assert table(where={"product": []}) == "intermediate.int_orders_grouped"


def test_each_kpi_of_a_period_is_a_metric_made_of_the_measures_that_it_names() -> None:
    layer = read_layer()
    kpis = {each.name: each for each in read_kpis() if each.name != "freshness_days"}
    assert set(kpis) <= set(layer.metrics)
    for name, kpi in kpis.items():
        metric = layer.metric(name)
        if kpi.per:
            assert metric.type == "ratio"
            named = [layer.metric(each).measure or each for each in metric.inputs]
            assert named == [kpi.measure, kpi.per]
        elif name == "new_customers":
            assert (metric.measure, bool(metric.filter)) == ("active_customers", True)
        else:
            assert (metric.type, metric.measure) == ("simple", kpi.measure)

"""Lineage: from a column, a KPI or a page down to the topics, and up to who reads it."""

import pytest

from lakehouse.contracts.gold import FCT_DAILY_SALES, FCT_ORDER_LINES, GOLD_TABLES
from lakehouse.contracts.tables import CUSTOMERS, ORDER_LINES, TABLES
from lakehouse.errors import LakeError
from lakehouse.settings import PROJECT_ROOT
from pipelines.lineage import kpis, lineage_of


def test_a_carried_column_is_followed_by_name_to_its_topics_and_its_readers() -> None:
    lines = lineage_of(f"{FCT_ORDER_LINES}.line_amount")
    assert lines[:6] == [
        f"{FCT_ORDER_LINES}.line_amount",
        "comes from",
        "  stg_silver__order_lines.line_amount",
        "    silver.order_lines.line_amount",
        "      bronze.events of topic erp.invoice_lines.v1",
        "      bronze.events of topic web.orders.v1",
    ]
    assert lines[6] == "read by"


def test_a_computed_column_is_followed_by_model() -> None:
    lines = lineage_of(f"{FCT_DAILY_SALES}.gross_amount")
    assert lines[2] == f"  {FCT_ORDER_LINES}"
    assert any(each.startswith("  screens: ") for each in lines)


def test_a_kpi_leads_to_its_mart_and_a_page_to_the_marts_that_it_shows() -> None:
    assert "net_revenue" in kpis()
    lines = lineage_of("net_revenue")
    assert lines[:3] == ["KPI net_revenue", "comes from", "  gold.fct_daily_kpis"]
    assert f"    {FCT_ORDER_LINES}" in lines
    page = lineage_of("/overview")
    assert page[0] == "page overview"
    assert f"  {FCT_DAILY_SALES}" in page


def test_a_silver_table_leads_to_the_topics_that_fill_it() -> None:
    assert lineage_of(CUSTOMERS.name)[:3] == [
        *("silver.customers", "comes from", "  bronze.events of topic crm.customers.v1"),
    ]


def test_every_table_and_page_has_a_lineage() -> None:
    names = [*GOLD_TABLES, *(table.name for table in TABLES)]
    pages = (PROJECT_ROOT / "dashboards" / "pages").glob("[a-z]*.py")
    for name in [*names, *(path.stem for path in pages), *kpis()]:
        assert lineage_of(name)[1] == "comes from"
    ends = [each for name in GOLD_TABLES for each in lineage_of(name) if "of topic" in each]
    assert len(ends) >= len(GOLD_TABLES)


@pytest.mark.parametrize("name", ["nope", "gold.nope", f"{ORDER_LINES.name}.nope", ""])
def test_an_unknown_name_says_what_there_is(name: str) -> None:
    with pytest.raises(LakeError, match=r"Name a table|Columns: event_id"):
        lineage_of(name)

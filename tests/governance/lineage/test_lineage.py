"""Lineage: from a column, a KPI or a page down to fields of messages, and up to who reads it."""

import pytest

from governance.lineage import dbt_manifest
from governance.lineage.dbt_manifest import compiled_project
from governance.lineage.lineage import column_parents, kpis, lineage_of
from lakehouse.contracts.exposures import read_exposures
from lakehouse.contracts.gold import (
    FCT_CUSTOMER_RFM,
    FCT_DAILY_KPIS,
    FCT_DAILY_SALES,
    FCT_ORDER_LINES,
    GOLD_TABLES,
)
from lakehouse.contracts.marts import read_marts
from lakehouse.contracts.tables import CUSTOMERS, ORDER_LINES, TABLES
from lakehouse.errors import LakeError
from lakehouse.settings import Settings

ERP, WEB = "bronze.events of topic erp.invoice_lines.v1", "bronze.events of topic web.orders.v1"
AMOUNT = [
    "  gold.fct_order_lines.line_amount",
    "    stg_silver__order_lines.line_amount",
    "      silver.order_lines.line_amount",
    f"        {ERP}: Quantity, UnitPrice",
    f"        {WEB}: lines[].quantity, lines[].unit_price",
]
LINE_CLASS = [
    "  gold.fct_order_lines.line_class",
    "    stg_silver__order_lines.line_class",
    "      silver.order_lines.line_class",
    f"        {ERP}: InvoiceNo, Quantity, UnitPrice",
    f"        {WEB}: order_kind, lines[].quantity, lines[].unit_price",
]
WITHOUT_A_FIELD = {
    "gold.dim_countries": "is_domestic is_known iso_code region",
    "gold.dim_dates": "is_outlier",
    "gold.fct_basket_pairs": "basket_count confidence_rate first_order_count lift order_count "
    "second_order_count support_rate",
    "gold.fct_cohort_retention": "active_customers cohort_size retention_rate",
    "gold.fct_customer_orders": "line_count source_system",
    "gold.fct_daily_funnel": "step step_number",
    "gold.fct_daily_kpis": "kpi unit",
    "gold.fct_daily_sales": "source_system",
    "gold.fct_exposures": "exposure_count",
    "gold.fct_order_lines": "refined_batch source_system",
    "gold.fct_orders": "source_system",
    "gold.fct_sessions": "event_count",
}
"""Columns of gold that only count rows or set a value: no field of a message is read for them."""


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A state folder that keeps the compiled project for the tests of this module."""
    return Settings(home=tmp_path_factory.mktemp("lineage"))


def origins(lines: list[str]) -> list[str]:
    return lines[lines.index("comes from") + 1 : lines.index("read by")]


def of_orders(lines: list[str]) -> list[str]:
    """The same origins, through the lines grouped by order."""
    return [each.replace("gold.fct_order_lines", "int_orders_grouped") for each in lines]


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        (f"{FCT_DAILY_SALES}.net_amount", [*AMOUNT, *LINE_CLASS]),
        (f"{FCT_CUSTOMER_RFM}.monetary_amount", of_orders([*AMOUNT, *LINE_CLASS])),
    ],
)
def test_an_amount_is_followed_through_sums_and_renames_to_the_fields_of_messages(
    settings: Settings, column: str, expected: list[str]
) -> None:
    assert origins(lineage_of(column, settings=settings)) == expected


def test_a_kpi_leads_to_the_fields_that_its_own_measures_are_made_of(settings: Settings) -> None:
    lines = lineage_of("net_revenue", settings=settings)
    assert lines[0] == "KPI net_revenue"
    deeper = [f"    {each}" for each in of_orders([*AMOUNT, *LINE_CLASS])]
    days = "    int_days_measured.net_amount"
    assert origins(lines) == [f"  {FCT_DAILY_KPIS}", days, *deeper]
    told = {
        kpi: [each.strip() for each in origins(lineage_of(kpi, settings=settings))]
        for kpi in ("active_customers", "conversion_rate", "freshness_days")
    }
    assert "int_orders_grouped.customer_id" in told["active_customers"]
    assert "int_orders_grouped.line_amount" not in told["active_customers"]
    sold = [each for each in told["conversion_rate"] if each.startswith("silver.order_lines.")]
    assert sold == []
    assert "silver.web_events.event_type" in told["conversion_rate"]
    assert [each for each in told["freshness_days"] if "unit_price" in each] == []


def test_the_values_of_all_kpis_together_come_from_every_measure(settings: Settings) -> None:
    lines = origins(lineage_of(f"{FCT_DAILY_KPIS}.value", settings=settings))
    assert [each.strip() for each in lines if not each.startswith("   ")] == [
        "gold.dim_dates.date_day",
        "gold.dim_dates.is_trading_day",
        "gold.fct_daily_funnel.session_count",
        "gold.fct_daily_funnel.step",
        "int_days_measured.active_customers",
        "int_days_measured.cancelled_amount",
        "int_days_measured.gross_amount",
        "int_days_measured.item_quantity",
        "int_days_measured.net_amount",
        "int_days_measured.new_customers",
        "int_days_measured.order_count",
    ]


def test_every_column_of_gold_ends_at_fields_of_messages_or_at_rows_of_a_table(
    settings: Settings,
) -> None:
    project = compiled_project(settings)

    def ends(table: str, column: str) -> set[str]:
        if not column:
            return {table}
        parents = column_parents(table, column, project)
        assert parents != [], (table, column)
        return {end for parent in parents for end in ends(*parent)}

    without: dict[str, list[str]] = {}
    for mart in read_marts():
        assert sorted(project.columns[mart.name]) == sorted(c.name for c in mart.columns)
        for column in sorted(each.name for each in mart.columns):
            if not [end for end in ends(mart.name, column) if ": " in end]:
                without.setdefault(mart.name, []).append(column)
    assert without == {name: columns.split() for name, columns in WITHOUT_A_FIELD.items()}


def test_a_column_names_the_columns_of_gold_that_it_goes_into(settings: Settings) -> None:
    lines = lineage_of(f"{ORDER_LINES.name}.line_amount", settings=settings)
    into = next(each for each in lines if each.startswith("  columns of gold: "))
    assert "gold.fct_customer_rfm.monetary_amount" in into
    assert "gold.fct_daily_kpis.value" in into
    assert "order_count" not in into


def test_the_project_is_compiled_once_until_it_changes(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = compiled_project(settings)
    monkeypatch.setattr(dbt_manifest, "dbt_output", lambda *_: pytest.fail("compiled again"))
    assert compiled_project(settings) == first
    monkeypatch.setattr(dbt_manifest, "_MADE_OF", (dbt_manifest.DBT_PROJECT,))
    with pytest.raises(pytest.fail.Exception, match="compiled again"):
        compiled_project(settings)


def test_a_project_that_dbt_can_not_compile_is_named(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dbt_manifest, "_MADE_OF", ())
    monkeypatch.setattr(dbt_manifest, "DBT_PROJECT", settings.home)
    with pytest.raises(LakeError, match=r"dbt can't compile \S+: .*dbt_project\.yml"):
        compiled_project(settings)


def test_a_page_leads_to_its_tiles_and_to_the_tables_that_it_shows(settings: Settings) -> None:
    page = lineage_of("/sales", settings=settings)
    assert page[:3] == [
        *("page sales", "comes from"),
        "  tile Key figures: gold.dim_dates, gold.fct_order_lines",
    ]
    assert f"  {FCT_ORDER_LINES}" in page


def test_a_table_says_which_tiles_show_it(settings: Settings) -> None:
    lines = lineage_of(FCT_DAILY_SALES, settings=settings)
    assert lines[2] == f"  {FCT_ORDER_LINES}"
    assert lines[-1] == (
        "  tiles: Alerts (Open alerts), Data health (Reconciliation), Reports (Archive)"
    )


def test_a_silver_table_leads_to_the_topics_that_fill_it(settings: Settings) -> None:
    assert lineage_of(CUSTOMERS.name, settings=settings)[:3] == [
        *("silver.customers", "comes from", "  bronze.events of topic crm.customers.v1"),
    ]


def test_every_table_and_page_has_a_lineage(settings: Settings) -> None:
    pages = [each.name for each in read_exposures()]
    for name in [*GOLD_TABLES, *(table.name for table in TABLES), *pages, *kpis()]:
        assert lineage_of(name, settings=settings)[1] == "comes from"
    for name in GOLD_TABLES:
        assert [each for each in lineage_of(name, settings=settings) if "of topic" in each] != []


@pytest.mark.parametrize("name", ["nope", "gold.nope", f"{ORDER_LINES.name}.nope", ""])
def test_an_unknown_name_says_what_there_is(settings: Settings, name: str) -> None:
    with pytest.raises(LakeError, match=r"Name a table|Columns: event_id"):
        lineage_of(name, settings=settings)

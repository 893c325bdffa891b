from typing import TYPE_CHECKING, Any

import yaml

from lakehouse.contracts.business import (
    LINE_CLASSES,
    SERVICE_CODE_PREFIX,
    SERVICE_CODES,
    SOURCE_SYSTEMS,
)
from lakehouse.contracts.tables import GOLD_SOURCES
from lakehouse.contracts.topics import WEB_EVENT_TYPES
from lakehouse.settings import PROJECT_ROOT

if TYPE_CHECKING:
    from conftest import DbtRun

MONEY = "decimal(18, 4)"
ORDER_FACTS = {
    "line_count": "bigint",
    "item_quantity": "bigint",
    "gross_amount": MONEY,
    "cancelled_amount": MONEY,
    "net_amount": MONEY,
}
STEPS = [each for each in WEB_EVENT_TYPES if each != "exposure"]
"""Of a visit; an exposure to an experiment is none."""
FOREIGN = {
    "_key": None,
    "customer_id": "dim_customers",
    "first_sku": "dim_products",
    "second_sku": "dim_products",
    "country": "dim_countries",
    "customer_country": "dim_countries",
    "order_date": "dim_dates",
    "funnel_date": "dim_dates",
    "session_date": "dim_dates",
    "kpi_date": "dim_dates",
    "first_order_date": "dim_dates",
    "cohort_month": "dim_dates",
}
"""Columns that name a member of a dimension. An id beside its key is followed by the key."""
VERSION = {"valid_from": "timestamp", "valid_to": "timestamp", "is_current": "boolean"}
GOLD = {
    "fct_order_lines": {
        "event_id": "varchar",
        "line_number": "integer",
        "source_system": "varchar",
        "order_id": "varchar",
        "line_class": "varchar",
        "sku": "varchar",
        "description": "varchar",
        "customer_id": "varchar",
        "country": "varchar",
        "ordered_at": "timestamp",
        "order_date": "date",
        "order_month": "varchar",
        "quantity": "bigint",
        "unit_price": "decimal(12, 4)",
        "line_amount": MONEY,
        "currency": "varchar",
        "is_product": "boolean",
        "product_key": "varchar",
        "customer_key": "varchar",
        "list_price": "decimal(12, 4)",
        "refined_batch": "bigint",
        "source_topic": "varchar",
        "source_partition": "integer",
        "source_offset": "bigint",
    },
    "fct_orders": {
        "order_id": "varchar",
        "source_system": "varchar",
        "customer_id": "varchar",
        "customer_key": "varchar",
        "customer_country": "varchar",
        "country": "varchar",
        "ordered_at": "timestamp",
        "order_date": "date",
        **ORDER_FACTS,
    },
    "fct_daily_sales": {
        "order_date": "date",
        "source_system": "varchar",
        "country": "varchar",
        "order_count": "bigint",
        **ORDER_FACTS,
    },
    "fct_sessions": {
        "session_id": "varchar",
        "visitor_id": "varchar",
        "customer_id": "varchar",
        "customer_key": "varchar",
        "device_type": "varchar",
        "started_at": "timestamp",
        "ended_at": "timestamp",
        "duration_seconds": "bigint",
        "session_date": "date",
        "event_count": "bigint",
        **{f"{step}_count": "bigint" for step in STEPS},
        "reached_step_number": "integer",
        **{f"has_{step}": "boolean" for step in STEPS},
        "order_id": "varchar",
        "has_order": "boolean",
    },
    "fct_exposures": {
        "exposure_date": "date",
        "experiment": "varchar",
        "visitor_id": "varchar",
        "arm": "varchar",
        "first_exposed_at": "timestamp",
        "exposure_count": "bigint",
    },
    "fct_daily_funnel": {
        "funnel_date": "date",
        "step": "varchar",
        "step_number": "integer",
        "session_count": "bigint",
        "step_rate": MONEY,
        "conversion_rate": MONEY,
    },
    "fct_customer_rfm": {
        "customer_id": "varchar",
        "recency_days": "integer",
        "order_count": "bigint",
        "monetary_amount": MONEY,
        "r_score": "integer",
        "f_score": "integer",
        "m_score": "integer",
        "rfm_segment": "varchar",
    },
    "fct_cohort_retention": {
        "cohort_month": "varchar",
        "month_number": "integer",
        "cohort_size": "bigint",
        "active_customers": "bigint",
        "retention_rate": MONEY,
    },
    "fct_customer_orders": {
        "customer_id": "varchar",
        "order_number": "integer",
        "customer_key": "varchar",
        "source_system": "varchar",
        "order_id": "varchar",
        "ordered_at": "timestamp",
        "order_date": "date",
        "is_first_order": "boolean",
        "days_since_previous": "integer",
        "line_count": "bigint",
        "item_quantity": "bigint",
        "gross_amount": MONEY,
        "previous_gross_amount": MONEY,
    },
    "fct_daily_customers": {
        "order_date": "date",
        "customer_kind": "varchar",
        "customer_count": "bigint",
        "order_count": "bigint",
        "item_quantity": "bigint",
        "gross_amount": MONEY,
    },
    "fct_basket_pairs": {
        "first_sku": "varchar",
        "second_sku": "varchar",
        "order_count": "bigint",
        "first_order_count": "bigint",
        "second_order_count": "bigint",
        "basket_count": "bigint",
        "support_rate": MONEY,
        "confidence_rate": MONEY,
        "lift": MONEY,
    },
    "fct_daily_kpis": {"kpi_date": "date", "kpi": "varchar", "value": MONEY, "unit": "varchar"},
    "dim_products": {
        "product_key": "varchar",
        "sku": "varchar",
        "description": "varchar",
        "catalog_description": "varchar",
        "category": "varchar",
        "unit_price": "decimal(12, 4)",
        "is_active": "boolean",
        "is_product": "boolean",
        **VERSION,
    },
    "dim_customers": {
        "customer_key": "varchar",
        "customer_id": "varchar",
        "country": "varchar",
        "has_marketing_consent": "boolean",
        "first_order_date": "date",
        **VERSION,
    },
    "dim_customer_contacts": {
        "customer_id": "varchar",
        "name": "varchar",
        "email": "varchar",
        "address": "varchar",
    },
    "dim_countries": {
        "country": "varchar",
        "country_name": "varchar",
        "iso_code": "varchar",
        "region": "varchar",
        "is_domestic": "boolean",
        "is_known": "boolean",
    },
    "dim_dates": {
        "date_day": "date",
        "year": "integer",
        "month": "integer",
        "order_month": "varchar",
        "iso_week": "varchar",
        "day_of_week": "integer",
        "is_weekend": "boolean",
        "is_trading_day": "boolean",
        "is_outlier": "boolean",
    },
}


def columns(node: dict[str, Any]) -> list[tuple[str, str]]:
    return [(each["name"], each["data_type"]) for each in node["columns"].values()]


def test_gold_has_the_agreed_tables_and_columns_in_order(dbt_run: "DbtRun") -> None:
    marts = {
        each["name"]: columns(each)
        for each in dbt_run.manifest["nodes"].values()
        if each["resource_type"] == "model" and each["schema"] == "gold"
    }
    assert marts == {name: list(agreed.items()) for name, agreed in GOLD.items()}


def test_personal_columns_are_in_one_table_only() -> None:
    personal = {
        column.name for table in GOLD_SOURCES for column in table.columns if column.personal
    }
    assert {name for name, agreed in GOLD.items() if personal & set(agreed)} == {
        "dim_customer_contacts"
    }
    assert personal == {"name", "email", "address"}


def test_sources_have_the_columns_of_the_lake_contracts(dbt_run: "DbtRun") -> None:
    types = {"string": "varchar", "int": "integer", "timestamp": "timestamptz"}
    expected = {
        table.name: [
            (each.name, types.get(each.type, each.type).replace(",", ", "))
            for each in table.columns
        ]
        for table in GOLD_SOURCES
    }
    assert {
        f"{each['schema']}.{each['name']}": columns(each)
        for each in dbt_run.manifest["sources"].values()
    } == expected


def test_closed_lists_are_those_of_the_lake_contracts(dbt_run: "DbtRun") -> None:
    variables = yaml.safe_load((PROJECT_ROOT / "dbt_project" / "dbt_project.yml").read_text())[
        "vars"
    ]
    assert tuple(variables["service_codes"]) == SERVICE_CODES
    assert variables["service_code_prefix"] == SERVICE_CODE_PREFIX
    accepted = {
        each["name"]: tuple(each["test_metadata"]["kwargs"]["values"])
        for each in dbt_run.manifest["nodes"].values()
        if each["resource_type"] == "test" and each["test_metadata"]["name"] == "accepted_values"
    }
    assert accepted["fct_order_lines_knows_its_line_classes"] == LINE_CLASSES
    assert accepted["fct_order_lines_knows_its_sources"] == SOURCE_SYSTEMS
    assert list(accepted["fct_daily_funnel_knows_its_steps"]) == STEPS


def test_every_foreign_key_is_tested_against_its_dimension(dbt_run: "DbtRun") -> None:
    related = {
        (each["attached_node"].rpartition(".")[2], each["test_metadata"]["kwargs"]["column_name"])
        for each in dbt_run.manifest["nodes"].values()
        if each["resource_type"] == "test" and each["test_metadata"]["name"] == "relationships"
    }
    keys = {name: f"{name.removeprefix('dim_').removesuffix('s')}_key" for name in GOLD}
    expected = {
        (mart, column)
        for mart, agreed in GOLD.items()
        for column in agreed
        if (column in FOREIGN and FOREIGN[column] != mart) or column.endswith("_key")
        if column != keys[mart]
        and not (column.endswith("_id") and column.replace("_id", "_key") in agreed)
    }
    assert expected - related == set()

"""Who would notice a change of a contract, looked up in the code as it is."""

from governance.lineage.readers import consumers_of
from lakehouse.contracts.gold import FCT_DAILY_SALES
from lakehouse.contracts.tables import CUSTOMER_CONTACTS, ORDER_LINES, WEB_EVENTS
from lakehouse.contracts.topics import CRM_CUSTOMERS, ERP_INVOICE_LINES, SOURCE_TOPICS, WEB_ORDERS
from lakehouse.contracts.topics import WEB_EVENTS as WEB_EVENTS_TOPIC

LINES = ORDER_LINES.name


def test_a_column_is_followed_into_models_suites_modules_and_screens() -> None:
    found = consumers_of(LINES, "line_amount")
    assert set(found["dbt models"]) >= {"stg_silver__order_lines", "fct_order_lines", "fct_orders"}
    assert "dim_dates" not in found["dbt models"]
    assert set(found["suites of the gate"]) == {"order_lines: business", "order_lines: contract"}
    assert "quality/audit/dispositions.py" in found["modules"]
    assert "Sales" in found["screens"]


def test_a_models_macros_are_read_too() -> None:
    # fct_orders names line_class only through the macros of its measures.
    assert "fct_orders" in consumers_of(LINES, "line_class")["dbt models"]


def test_a_column_of_gold_is_followed_into_the_screens_that_show_it() -> None:
    found = consumers_of(FCT_DAILY_SALES, "gross_amount")
    assert found["screens"] == ("Alerts", "Data health", "Reports")
    assert "pipelines/publishing/key_figures.py" in found["modules"]


def test_a_topics_field_is_followed_into_the_columns_that_are_made_of_it() -> None:
    for topic, field in [
        (WEB_ORDERS.name, "lines[].unit_price"),
        (ERP_INVOICE_LINES.name, "UnitPrice"),
    ]:
        found = consumers_of(topic, field)
        assert found["tables"] == (LINES,)
        # The amount of a line is made of its price: what sums amounts is among its readers.
        assert {"fct_order_lines", "fct_orders"} <= set(found["dbt models"])
        assert "dim_dates" not in found["dbt models"]
    assert consumers_of(CRM_CUSTOMERS.name, "email")["tables"] == (CUSTOMER_CONTACTS.name,)
    found = consumers_of(WEB_EVENTS_TOPIC.name, "device_type")
    assert found["tables"] == (WEB_EVENTS.name,)
    assert "pipelines/transforms/web.py" in found["modules"]
    assert "storefront/simulator/events.py" in found["modules"]  # part: simulator


def test_a_renamed_field_is_followed_too() -> None:
    found = consumers_of(ERP_INVOICE_LINES.name, "CustomerID")
    assert found["tables"] == (LINES,)
    assert "fct_customer_rfm" in found["dbt models"]
    assert "dim_dates" not in found["dbt models"]


def test_a_field_that_goes_into_no_column_leads_to_all_that_reads_its_tables() -> None:
    found = consumers_of(ERP_INVOICE_LINES.name, "row_number")
    assert found["tables"] == (LINES,)
    assert set(found["dbt models"]) == set(consumers_of(LINES)["dbt models"])


def test_every_topic_fills_a_table() -> None:
    assert [topic.name for topic in SOURCE_TOPICS if "tables" not in consumers_of(topic.name)] == []

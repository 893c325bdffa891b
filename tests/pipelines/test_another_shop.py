"""A shop in euros and Berlin time: its file and its web orders, from the bytes to gold."""

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from lakehouse.contracts.tables import GOLD_SOURCES, ORDER_LINES
from lakehouse.duck import open_gold
from lakehouse.settings import Settings
from lakehouse.shop import Shop
from pipelines.gold.build import build_gold
from pipelines.publishing.publish import Workers
from pipelines.transforms.erp import refine_invoice_line
from pipelines.transforms.records import Accepted, Refused
from pipelines.transforms.web import refine_web_order
from storefront.erp.extract import Reading, read_extract
from storefront.erp.replay import erp_messages
from tests.lake_state import web_order
from tests.shops import working_for
from tests.silver_commits import commit

BERLIN = Shop("EUR", "Europe/Berlin", "de_DE")
HEAD = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country"
SKIPPED, TWICE = date(2011, 3, 27), date(2011, 10, 30)
"""Days of 23 and of 25 hours."""
MINUTES = 15


def wall_clocks() -> list[datetime]:
    """Every few minutes of the two days, and of the day before and after each."""
    starts = [datetime.combine(day, datetime.min.time()) for day in (SKIPPED, TWICE)]
    step = timedelta(minutes=MINUTES)
    days = timedelta(days=3) // step
    return [start - timedelta(days=1) + n * step for start in starts for n in range(days)]


def write(path: Path) -> dict[date, Decimal]:
    """A file of lines; returns the sales of each day."""
    lines, sales = [HEAD], dict[date, Decimal]()
    for number, at in enumerate(wall_clocks()):
        price, pieces = Decimal(number % 997) / 1000 + Decimal("0.5"), number % 7 + 1
        facts = (600000 + number, f"K{number % 40}", "THING", pieces, at, price, number % 90 + 1)
        lines.append(",".join(map(str, (*facts, "Germany"))))
        sales[at.date()] = sales.get(at.date(), Decimal(0)) + price * pieces
    path.write_text("\n".join(lines) + "\n")
    return sales


def row(found: Accepted, number: int) -> dict[str, Any]:
    (line,) = found.rows
    place = {"refined_batch": 1, "source_topic": "t", "source_partition": 0}
    ids = {"event_id": found.event_id, "content_hash": found.content_hash}
    return {**ids, **line._asdict(), **place, "source_offset": number}


def accepted(found: Accepted | Refused) -> Accepted:
    assert isinstance(found, Accepted), found
    return found


def test_days_and_sums_of_a_shop_in_euros_and_berlin_time_are_its_own(
    tmp_path: Path, workers: Workers
) -> None:
    sales = write(tmp_path / "sales.csv")
    late = datetime(2011, 10, 29, 22, 30, tzinfo=UTC)
    order = json.loads(web_order(0, currency="EUR").value or b"")
    at_night = json.dumps({**order, "occurred_at": f"{late:%Y-%m-%dT%H:%M:%SZ}"}).encode()
    with working_for(BERLIN) as options:
        extract = read_extract(tmp_path / "sales.csv", Reading())
        messages = erp_messages(extract, extracted_at=datetime(2012, 1, 1, tzinfo=UTC))
        lines = [accepted(refine_invoice_line(each.value)) for each in messages]
        web = accepted(refine_web_order(at_night))
        pounds = refine_web_order(web_order(0).value)
        settings = Settings.model_validate({"home": tmp_path / "state", **options})
        for table in GOLD_SOURCES:
            found = [*lines, web] if table is ORDER_LINES else []
            commit(settings, table, [row(each, number) for number, each in enumerate(found)])
        versions = {table.name: 0 for table in GOLD_SOURCES}
        gold = build_gold(settings, run_id="1", table_versions=versions, worker=workers.gold)
    assert isinstance(pounds, Refused)
    assert pounds.reason == "unknown_currency"
    moments = [each.rows[0] for each in lines]
    hours = [
        int((b.ordered_at - a.ordered_at) / timedelta(hours=1))  # type: ignore[union-attr]
        for a, b in ((moments[96], moments[192]), (moments[384], moments[480]))
    ]
    assert hours == [23, 25]
    sales[TWICE] += Decimal(5)  # 22:30 UTC is half an hour into the day in Berlin, not in London
    with open_gold(gold.path) as connection:
        by_day = connection.execute(
            "select order_date, sum(gross_amount) from gold.fct_daily_sales group by 1 order by 1"
        ).fetchall()
        kpis = connection.execute(
            "select kpi_date, value, unit from gold.fct_daily_kpis "
            "where kpi = 'gross_revenue' and value > 0 order by 1"
        ).fetchall()
        currencies = connection.execute(
            "select distinct currency from gold.fct_order_lines"
        ).fetchall()
    assert by_day == sorted(sales.items())
    assert kpis == [(day, amount, "EUR") for day, amount in by_day]
    assert currencies == [("EUR",)]

"""Gold equals the oracle to the last decimal: real history, and simulated days of many seeds."""

from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest

from lakehouse.contracts.topics import ERP_INVOICE_LINES, WEB_ORDERS
from lakehouse.tables import current_versions
from pipelines.gold import build_gold
from storefront.data import embedded_history
from storefront.erp import erp_messages
from storefront.extract import read_extract
from storefront.messages import Message
from storefront.simulator import Catalog, simulate
from storefront.simulator.catalog import KnownCustomer, Product
from storefront.simulator.parameters import ShopParameters
from tests import oracle
from tests.lake_state import LakeState, Record

CATALOG = Catalog(
    tuple(Product(f"{n:05d}", f"RED BAG NO {n}", 25 + 7 * n, 1 + n % 9) for n in range(60)),
    tuple(KnownCustomer(str(12_000 + n), ("France", "Spain")[n % 2], 1 + n % 5) for n in range(40)),
    date(2011, 12, 9),
)
PARAMETERS = ShopParameters(sessions_per_day=60, refund_rate=0.5, memory_days=2)
CLOCKS_CHANGE = (date(2012, 3, 24), date(2012, 10, 27))
KNOWN_RATES = {"conversion_rate", "cart_abandonment_rate", "freshness_days"}
"""KPIs of other facts than order lines: no money, and no counts."""


def real_rows(*days: str) -> list[oracle.Row]:
    """Rows of the raw file as texts, in its order; all, or those of some days."""
    table = pq.read_table(embedded_history())
    columns = [table[name].to_pylist() for name in table.column_names]
    rows = []
    for number, sku, text, pieces, when, price, customer, country in zip(*columns, strict=True):
        stamp = f"{when:%Y-%m-%d %H:%M:%S}"
        if not days or stamp[:10] in days:
            who = None if customer is None else str(customer)
            rows.append((number, sku, text, str(pieces), stamp, str(price), who, country))
    return rows


def simulated(seed: int, start_date: date, days: int = 4) -> list[Message]:
    return list(
        simulate(
            seed=seed, start_date=start_date, days=days, catalog=CATALOG, parameters=PARAMETERS
        )
    )


def of_erp(*days: str) -> list[Message]:
    """Messages of the raw file; all, or those of some days."""
    at = datetime(2011, 12, 10, tzinfo=UTC)
    extract = read_extract(embedded_history())
    if not days:
        return list(erp_messages(extract, extracted_at=at))
    return [
        each
        for day in days
        for each in erp_messages(
            extract,
            extracted_at=at,
            date_from=date.fromisoformat(day),
            date_until=date.fromisoformat(day),
        )
    ]


def gold_of(lake: LakeState, workers: Any, messages: Iterable[Message]) -> Path:
    """The messages through bronze and silver; the file of the gold built from it."""
    offsets: dict[str, int] = {}
    records = []
    for each in messages:
        offset = offsets[each.topic] = offsets.get(each.topic, -1) + 1
        records.append(Record(each.topic, each.value, offset))
    lake.land(*records)
    lake.refine()
    versions = current_versions(lake.settings)
    workers.gold.wait_until_parsed()
    return build_gold(
        lake.settings, run_id="oracle", table_versions=versions, worker=workers.gold
    ).path


def rows_of(
    gold: duckdb.DuckDBPyConnection, table: str, keys: int, *columns: str
) -> dict[Any, Any]:
    """Rows by their first columns."""
    rows = gold.execute(f"select {', '.join(columns)} from gold.{table}").fetchall()
    found = {row[0] if keys == 1 else row[:keys]: row[keys:] for row in rows}
    assert len(found) == len(rows)
    return found


def require_equal(path: Path, lines: list[oracle.Line]) -> None:
    """Every figure of the file is the oracle's, and the other way round."""
    sums = ("order_count", "line_count", "item_quantity")
    money = ("gross_amount", "cancelled_amount", "net_amount")
    with duckdb.connect(str(path), read_only=True) as gold:
        key = ("order_date", "source_system", "country")
        assert rows_of(gold, "fct_daily_sales", 3, *key, *sums, *money) == oracle.daily_sales(lines)
        kpis = rows_of(gold, "fct_daily_kpis", 2, "kpi_date", "kpi", "value")
        names = {kpi for _, kpi in kpis}
        expected = oracle.daily_kpis(lines)
        assert names - {kpi for _, kpi in expected} <= KNOWN_RATES
        assert {key: value[0] for key, value in kpis.items() if key[1] not in KNOWN_RATES} == {
            key: value for key, value in expected.items() if key[1] in names
        }
        facts = ("recency_days", "order_count", "monetary_amount")
        scores = ("r_score", "f_score", "m_score")
        found = rows_of(gold, "fct_customer_rfm", 1, "customer_id", *facts, *scores)
        assert found == oracle.rfm(lines)
        columns = ("cohort_month", "month_number", "cohort_size", "active_customers")
        assert rows_of(gold, "fct_cohort_retention", 2, *columns) == oracle.cohorts(lines)


@pytest.mark.spark
def test_a_slice_of_real_history_and_simulated_days_equal_the_oracle(
    lake: LakeState, workers: Any
) -> None:
    """Doubled rows, cancellations, adjustments and days on which the clocks change."""
    days = ("2010-12-05", "2011-03-27", "2011-08-12")
    shops = [each for n, day in enumerate(CLOCKS_CHANGE) for each in simulated(n, day)]
    lines = oracle.erp_lines(real_rows(*days))
    lines += oracle.web_lines(each.value for each in shops if each.topic == WEB_ORDERS.name)
    kinds = {(line.source, line.kind) for line in lines}
    assert {("erp", "adjustment"), ("erp", "cancellation"), ("web", "cancellation")} <= kinds
    require_equal(gold_of(lake, workers, [*of_erp(*days), *shops]), lines)


@pytest.mark.spark
@pytest.mark.slow
@pytest.mark.parametrize("seed", range(20))
def test_simulated_days_of_twenty_seeds_equal_the_oracle(
    new_lake: Callable[[], LakeState], workers: Any, seed: int
) -> None:
    shop = simulated(seed, CLOCKS_CHANGE[seed % 2], days=7)
    orders = [each for each in shop if each.topic == WEB_ORDERS.name]
    again = orders[:3]
    lines = oracle.web_lines(each.value for each in (*orders, *again))
    assert any(line.kind == "cancellation" for line in lines)
    require_equal(gold_of(new_lake(), workers, [*shop, *again]), lines)


@pytest.mark.spark
@pytest.mark.slow
def test_the_whole_real_history_equals_the_oracle(lake: LakeState, workers: Any) -> None:
    lines = oracle.erp_lines(real_rows())
    sales = [line for line in lines if line.kind == "sale"]
    assert sum((line.amount for line in sales), Decimal(0)) == Decimal("10631048.744")
    messages = of_erp()
    assert {each.topic for each in messages} == {ERP_INVOICE_LINES.name}
    require_equal(gold_of(lake, workers, messages), lines)

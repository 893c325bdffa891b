"""Gold beside the oracle: messages through bronze, silver and dbt, and every figure compared.

In: messages of the sources, and the oracle's lines and visits of the same raw input. Out: a verdict
for each figure. Run standalone: `.venv/bin/python -m tests.oracle_run`.
"""

import csv
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import pyarrow.parquet as pq

from dashboards.periods import Selection
from dashboards.queries.sales import over_time, values_of
from lakehouse.contracts.topics import ERP_COLUMNS, WEB_EVENTS, WEB_ORDERS
from lakehouse.duck import open_gold
from lakehouse.tables import current_versions
from pipelines.gold.build import build_gold
from pipelines.gold.dbt_worker import GoldWorker
from pipelines.publishing.key_figures import key_figures
from storefront.data import embedded_history
from storefront.erp.extract import read_extract
from storefront.erp.replay import erp_messages
from storefront.messages import Message
from storefront.simulator import Catalog, simulate
from storefront.simulator.catalog import KnownCustomer, Product
from storefront.simulator.parameters import ShopParameters
from tests import oracle
from tests.lake_state import LakeState, Record
from tests.oracle.sales import Key, Values

CATALOG = Catalog(
    tuple(Product(f"{n:05d}", f"RED BAG NO {n}", 25 + 7 * n, 1 + n % 9) for n in range(60)),
    tuple(KnownCustomer(str(12_000 + n), ("France", "Spain")[n % 2], 1 + n % 5) for n in range(40)),
    date(2011, 12, 9),
)
PARAMETERS = ShopParameters(sessions_per_day=60, refund_rate=0.5, memory_days=2)
CLOCKS_CHANGE = (date(2012, 3, 24), date(2012, 10, 27))
_SUMS = "order_count, line_count, item_quantity, gross_amount, cancelled_amount, net_amount"
_OF_LINES = """count(distinct (source_system, order_id)) filter (where line_class = 'sale'),
count(*) filter (where line_class = 'sale'),
coalesce(sum(quantity) filter (where line_class = 'sale'), 0),
coalesce(sum(line_amount) filter (where line_class = 'sale'), 0),
coalesce(sum(line_amount) filter (where line_class = 'cancellation'), 0),
sum(line_amount),
count(distinct customer_id) filter (where line_class = 'sale')"""
FIGURES: Mapping[str, tuple[int, str]] = {
    "sales by day, source, country": (
        3,
        f"select order_date, source_system, country, {_SUMS} from gold.fct_daily_sales",
    ),
    "sales by month": (
        1,
        f"""select order_month, {_OF_LINES} from gold.fct_order_lines
        where line_class in ('sale', 'cancellation') group by order_month""",
    ),
    "orders": (
        2,
        """select source_system, order_id, order_date, customer_id, line_count, item_quantity,
            gross_amount, cancelled_amount, net_amount
        from gold.fct_orders""",
    ),
    "orders of customers": (
        3,
        """select customer_id, source_system, order_id, order_date, line_count, item_quantity,
            gross_amount
        from gold.fct_customer_orders""",
    ),
    "products by gross": (
        1,
        """select sku, row_number() over (order by sum(line_amount) desc, sku),
            any_value(products.description), sum(line_amount), sum(quantity),
            count(distinct (source_system, order_id))
        from gold.fct_order_lines
        inner join gold.dim_products as products using (sku)
        where line_class = 'sale' and products.is_product and products.is_current
        group by sku""",
    ),
    "new and returning customers by day": (
        2,
        """select order_date, customer_kind,
            customer_count, order_count, item_quantity, gross_amount
        from gold.fct_daily_customers""",
    ),
    "recency, frequency, monetary value": (
        1,
        """select customer_id, recency_days, order_count, monetary_amount,
            r_score, f_score, m_score, rfm_segment
        from gold.fct_customer_rfm""",
    ),
    "cohorts": (
        2,
        """select cohort_month, month_number, cohort_size, active_customers, retention_rate
        from gold.fct_cohort_retention""",
    ),
}
"""Figures beside the KPIs: how many columns are the key, and the query on gold."""
SCREENS = (
    "key figures of the summary",
    "totals of the filters of Sales",
    "KPIs of each day, country and source",
)
_SHOWN = ("gross_revenue", "cancelled_amount", "net_revenue", "order_count", "active_customers")
FILTERED = (
    *_SHOWN,
    *("average_order_value", "return_rate", "item_quantity", "new_customers", "repeat_rate"),
)
"""KPIs of order lines, as a tile shows them under filters."""


@dataclass(frozen=True)
class Verdict:
    """One figure: the oracle's values, and by key what differs: gold's, the oracle's."""

    figure: str
    values: int
    differences: Mapping[Key, tuple[Values | None, Values | None]]


def real_rows(*days: str) -> list[oracle.Row]:
    """Rows of the raw file as texts, in its order; all, or those of some days."""
    table = pq.read_table(embedded_history())
    columns = [table[name].to_pylist() for name in table.column_names]
    rows: list[oracle.Row] = []
    for number, sku, text, pieces, when, price, customer, country in zip(*columns, strict=True):
        stamp = f"{when:%Y-%m-%d %H:%M:%S}"
        if not days or stamp[:10] in days:
            who = None if customer is None else str(customer)
            rows.append((number, sku, text, str(pieces), stamp, str(price), who, country))
    return rows


def real_messages(*days: str) -> list[Message]:
    """Messages of the raw file; all, or those of some days."""
    at = datetime(2011, 12, 10, tzinfo=UTC)
    extract = read_extract(embedded_history())
    if not days:
        return list(erp_messages(extract, extracted_at=at))
    spans = (
        {"date_from": date.fromisoformat(d), "date_until": date.fromisoformat(d)} for d in days
    )
    return [each for span in spans for each in erp_messages(extract, extracted_at=at, **span)]


def simulated(seed: int, *, days: int) -> list[Message]:
    """Days of a seed's shop, the second of them one on which the clocks change; many refunds."""
    start = CLOCKS_CHANGE[seed % 2]
    return list(
        simulate(seed=seed, start_date=start, days=days, catalog=CATALOG, parameters=PARAMETERS)
    )


def mixed_orders(seed: int) -> tuple[list[Message], list[oracle.Line]]:
    """ERP orders whose lines differ in customer, country and day; messages and oracle's lines."""
    random = Random(seed)  # noqa: S311 - nothing secret
    start = datetime.combine(CLOCKS_CHANGE[seed % 2], datetime.min.time())
    rows: list[oracle.Row] = []
    for number in range(40):
        kind = random.choice(("", "", "", "C"))
        for _ in range(random.randrange(1, 5)):
            at = start + timedelta(days=number % 5, hours=23, minutes=random.randrange(50, 70))
            pieces, price = random.randrange(1, 9), Decimal(random.randrange(1, 999)) / 100
            who = random.choice((None, "12000", "12001", "12002", "mixed"))
            country = random.choice(("France", "Spain", "Malta"))
            what = (f"{random.randrange(60):05d}", "RED BAG", str(-pieces if kind else pieces))
            rows.append((f"{kind}9{number:05d}", *what, str(at), str(price), who, country))
    with tempfile.TemporaryDirectory(prefix="mixed-") as folder:
        path = Path(folder) / "mixed.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([ERP_COLUMNS, *rows])
        messages = list(
            erp_messages(read_extract(path), extracted_at=datetime(2013, 1, 1, tzinfo=UTC))
        )
    return messages, oracle.erp_lines(rows)


def of_shop(messages: Sequence[Message]) -> tuple[list[oracle.Line], oracle.Visits]:
    """The oracle's answer to messages of the web shop."""
    orders = [each.value for each in messages if each.topic == WEB_ORDERS.name]
    events = [each.value for each in messages if each.topic == WEB_EVENTS.name]
    return oracle.web_lines(orders), oracle.visits(events)


def gold_of(lake: LakeState, worker: GoldWorker, messages: Iterable[Message]) -> Path:
    """The messages through bronze and silver; the file of the gold built from it."""
    offsets: dict[str, int] = {}
    records = []
    for each in messages:
        offset = offsets[each.topic] = offsets.get(each.topic, -1) + 1
        records.append(Record(each.topic, each.value, offset))
    lake.land(*records)
    lake.refine()
    versions = current_versions(lake.settings)
    worker.await_ready()
    return build_gold(lake.settings, run_id="oracle", table_versions=versions, worker=worker).path


def compare(
    gold_file: Path, lines: Sequence[oracle.Line], shop: oracle.Visits
) -> Iterator[Verdict]:
    """Every KPI and every other figure, key by key and both ways, to the last decimal."""
    expected: dict[str, Mapping[Key, Values]] = {
        "sales by day, source, country": oracle.daily_sales(lines),
        "sales by month": oracle.monthly_sales(lines),
        "orders": oracle.orders(lines),
        "orders of customers": oracle.customer_orders(lines),
        "products by gross": oracle.products(lines),
        "new and returning customers by day": oracle.daily_customers(lines),
        "recency, frequency, monetary value": oracle.rfm(lines),
        "cohorts": oracle.cohorts(lines),
    }
    with open_gold(gold_file) as gold:
        kpis = _by_key(
            gold.execute("select kpi_date, kpi, value from gold.fct_daily_kpis").fetchall(), 2
        )
        found = {
            figure: _by_key(gold.execute(sql).fetchall(), keys)
            for figure, (keys, sql) in FIGURES.items()
        }
        shown = _shown_totals(gold, oracle.chosen(lines))
        filtered = _filtered_kpis(gold, oracle.filtered_kpis(lines))
    answers = (oracle.key_figures(lines), oracle.chosen(lines), oracle.filtered_kpis(lines))
    expected |= dict(zip(SCREENS, answers, strict=True))
    found[SCREENS[0]] = {(name,): (Decimal(text),) for name, text in key_figures(gold_file).items()}
    found |= dict(zip(SCREENS[1:], (shown, filtered), strict=True))
    expected_kpis = oracle.daily_kpis(lines, shop)
    for kpi in sorted({str(key[1]) for key in (*kpis, *expected_kpis)}):
        yield verdict(f"KPI {kpi}", _of_kpi(kpis, kpi), _of_kpi(expected_kpis, kpi))
    for figure, values in found.items():
        yield verdict(figure, values, expected[figure])


def _shown_totals(gold: Any, keys: Iterable[Key]) -> dict[Key, Values]:
    """Sales' totals of each day and country that the oracle knows."""
    days = (date(1900, 1, 1), date(2100, 1, 1))
    found: dict[Key, Values] = {}
    for day, country in keys:
        first, last = (day, day) if isinstance(day, date) else days
        chosen = Selection(first, last, (str(country),) if country else ())
        found[day, country] = tuple(values_of(gold, chosen, _SHOWN).values())
    return found


def _filtered_kpis(gold: Any, keys: Iterable[Key]) -> dict[Key, Values]:
    """The tiles of each day under a filter of each country and source that the oracle knows.

    Days without a line there are left out, as the oracle knows none.
    """
    places = {(str(country), str(source)) for _, country, source in keys}
    days = [day for day, _, _ in keys if isinstance(day, date)]
    found: dict[Key, Values] = {}
    for country, source in sorted(places):
        chosen = Selection(min(days), max(days), (country,), (source,))
        for day, *values in over_time(gold, chosen, FILTERED, grain="day").to_numpy().tolist():
            if any(values):
                found[day, country, source] = tuple(values)
    return found


def _by_key(rows: Sequence[tuple[object, ...]], keys: int) -> dict[Key, Values]:
    found = {row[:keys]: row[keys:] for row in rows}
    if len(found) != len(rows):
        raise ValueError(f"a key of gold is there twice: {len(rows)} rows, {len(found)} keys")
    return found


def _of_kpi(values: Mapping[Key, Values], kpi: str) -> dict[Key, Values]:
    return {key: value for key, value in values.items() if key[1] == kpi}


def verdict(figure: str, gold: Mapping[Key, Values], expected: Mapping[Key, Values]) -> Verdict:
    differing = {
        key: (gold.get(key), expected.get(key))
        for key in (*expected, *gold)
        if gold.get(key) != expected.get(key)
    }
    return Verdict(figure, len(expected), differing)

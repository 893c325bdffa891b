"""A small real shop: gold files built by SQL, published and reported as the pipeline does it.

`Shop.publish` takes order lines and derives every fact from them; the lines below are few enough to
check by hand: two sources, three countries, a cancellation, a service line and unknown customers.
"""

import contextlib
import itertools
import json
import os
import select
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from dashboards.periods import Selection
from dashboards.published import PublishedGold
from lakehouse.settings import Settings

Line = tuple[str, str, str, str, str, str | None, str, str, int, str]
"""source, order, class, sku, name, customer, country, day, pieces, price."""

LINES: tuple[Line, ...] = (
    ("erp", "1", "sale", "A1", "TEA TOWEL", "10", "United Kingdom", "2011-01-03", 10, "12.5000"),
    ("erp", "1", "sale", "POST", "POSTAGE", "10", "United Kingdom", "2011-01-03", 1, "5.0050"),
    ("erp", "2", "sale", "B2", "LANTERN", None, "United Kingdom", "2011-01-04", 4, "100.0000"),
    ("erp", "C3", "cancellation", "B2", "LANTERN", "10", "United Kingdom", "2011-01-05", -1, "100"),
    ("erp", "4", "sale", "A1", "TEA TOWEL", "11", "Germany", "2011-01-05", 2, "12.5000"),
    ("erp", "5", "zero_price", "A1", "damaged", None, "United Kingdom", "2011-01-05", -3, "0"),
    ("erp", "6", "sale", "A1", "TEA TOWEL", "10", "United Kingdom", "2011-01-10", 20, "12.5000"),
    ("web", "7", "sale", "C3", "MUG", "10", "United Kingdom", "2011-01-10", 3, "4.2500"),
    ("web", "8", "sale", "C3", "MUG", "12", "France", "2011-01-11", 6, "4.2500"),
)
"""Gross 843.255, cancelled -100, net 743.255; 6 orders with a sale line, 3 known customers."""

_BUILD = """
create schema gold;
create table gold.fct_order_lines as
select source_system || order_id || row_number() over () as event_id, 1 as line_number,
  source_system, order_id, line_class, sku, description, customer_id, country,
  order_date::timestamp as ordered_at, order_date, strftime(order_date, '%Y-%m') as order_month,
  quantity::bigint as quantity, unit_price::decimal(12, 4) as unit_price,
  (quantity * unit_price::decimal(12, 4))::decimal(18, 4) as line_amount,
  'GBP' as currency, sku <> 'POST' as is_product
from lines;
create table gold.fct_orders as
select order_id, source_system, min(customer_id) as customer_id, min(country) as country,
  min(order_date) as order_date,
  count(*) filter (line_class = 'sale') as line_count,
  coalesce(sum(line_amount) filter (line_class = 'sale'), 0)::decimal(18, 4) as gross_amount
from gold.fct_order_lines where line_class in ('sale', 'cancellation') group by all;
create table gold.fct_daily_sales as
select order_date, source_system, country,
  coalesce(sum(line_amount) filter (line_class = 'sale'), 0)::decimal(18, 4) as gross_amount,
  coalesce(sum(line_amount) filter (line_class = 'cancellation'), 0)::decimal(18, 4)
    as cancelled_amount,
  sum(line_amount)::decimal(18, 4) as net_amount
from gold.fct_order_lines where line_class in ('sale', 'cancellation')
group by order_date, source_system, country;
create table gold.dim_dates as
select distinct order_date as date_day, true as is_trading_day,
  year(order_date) > 2050 as is_outlier
from gold.fct_order_lines;
create table gold.dim_products as
select sku, mode(description) filter (line_class = 'sale') as description, true as is_current
from gold.fct_order_lines group by sku
union all select null, 'Unknown product', true;
create table gold.dim_customers as
select customer_id, min(order_date) filter (line_class = 'sale') as first_order_date,
  timestamp '0001-01-01' as valid_from, null::timestamp as valid_to
from gold.fct_order_lines where customer_id is not null group by customer_id;
create table gold.fct_customer_rfm as
select customer_id, 'loyal' as rfm_segment from gold.dim_customers;
create table gold.fct_sessions as
select date '2011-01-10' as session_date, null::varchar as customer_id, 'phone' as device_type,
  true as has_page_view, number < 3 as has_add_to_cart, number = 1 as has_purchase,
  's' || number as session_id, 'v' || number as visitor_id, null::varchar as order_id,
  false as has_order, 1 as page_view_count, 0 as product_view_count, 0 as add_to_cart_count,
  0 as checkout_count, 60 as duration_seconds, timestamp '2011-01-10 09:01:00' as ended_at
from range(1, 5) as visits(number) where exists (select * from gold.fct_order_lines);
create table gold.fct_exposures as
select session_date as exposure_date, experiment, visitor_id,
  if(session_id in ('s1', 's2'), 'A', 'B') as arm,
  timestamp '2011-01-10 09:00:00' as first_exposed_at
from gold.fct_sessions,
  (values ('one_page_checkout'), ('same_page_twice')) as names(experiment);
create schema intermediate;
create table intermediate.int_orders_grouped as
select order_date, source_system, order_id, customer_id, country, line_class,
  sum(quantity)::bigint as quantity, sum(line_amount)::decimal(18, 4) as line_amount
from gold.fct_order_lines group by all;
"""


_built: dict[tuple[Line, ...], bytes] = {}
"""Files built before, as a build takes longer than most tests."""
_numbers = itertools.count(1)
"""A version's file name is never used twice: readers know a version by it."""


@dataclass(frozen=True)
class Shop:
    """A state folder and what has been published in it."""

    settings: Settings

    @property
    def gold(self) -> PublishedGold:
        return PublishedGold(self.settings)

    def build(self, run_id: str, lines: Sequence[Line] = LINES) -> Path:
        """A gold file, not yet in service."""
        self.settings.gold_dir.mkdir(parents=True, exist_ok=True)
        path = self.settings.gold_dir / f"gold-{run_id}-{next(_numbers)}.duckdb"
        if tuple(lines) in _built:
            path.write_bytes(_built[tuple(lines)])
            return path
        with duckdb.connect(str(path)) as connection:
            connection.execute(
                "create temp table lines (source_system varchar, order_id varchar, "
                "line_class varchar, sku varchar, description varchar, customer_id varchar, "
                "country varchar, order_date date, quantity int, unit_price varchar)"
            )
            if lines:
                connection.executemany(
                    "insert into lines values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", lines
                )
            connection.execute(_BUILD)
            connection.execute("checkpoint")
        _built[tuple(lines)] = path.read_bytes()
        return path

    def publish(self, run_id: str, lines: Sequence[Line] = LINES) -> Path:
        """Build a version and put it into service, as one atomic replacement of the pointer."""
        path = self.build(run_id, lines)
        at = "2026-11-09T14:03:00+00:00"
        pointer = {"run_id": run_id, "file": path.name, "published_at": at}
        self._replace(self.settings.gold_dir / "CURRENT", json.dumps(pointer))
        return path

    def report(self, **changes: Any) -> None:
        """Leave the report of a good run, but for `changes`."""
        self.settings.reports_dir.mkdir(parents=True, exist_ok=True)
        self._replace(self.settings.reports_dir / "latest.json", json.dumps(good_run() | changes))

    def clear(self) -> None:
        """Back to an empty state folder."""
        for folder in (self.settings.gold_dir, self.settings.reports_dir):
            for path in folder.glob("*"):
                path.unlink()

    @staticmethod
    def _replace(path: Path, text: str) -> None:
        draft = path.with_suffix(".draft")
        draft.write_text(text, encoding="utf-8")
        draft.replace(path)


def good_run() -> dict[str, Any]:
    """A report with one entry of each kind, and a warning."""
    rule = {
        "suite": "contract",
        "table": "silver.order_lines",
        "expectation": "expect_column_values_to_be_in_set",
        "observed": "",
        "detail": "",
        "status": "passed",
        "success": True,
        "severity": "block",
    }
    odd = {"severity": "warn", "status": "failed", "success": False}
    return {
        "run_id": "run-1",
        "command": "lake demo --once",
        "started_at": "2026-11-09T14:01:20+00:00",
        "finished_at": "2026-11-09T14:03:05+00:00",
        "verdict": "passed",
        "message": "",
        "stages": [
            {"name": "ingest", "rows_in": 12, "rows_out": 12, "seconds": 3.0, "status": "done"},
            {"name": "refine", "rows_in": 12, "rows_out": 9, "seconds": 65.2, "status": "done"},
        ],
        "wall_seconds": 105.2,
        "cpu_seconds": 61.0,
        "peak_pss_bytes": 3 * 1024**3,
        "reconciliation": [
            {"equation": "R5", "statement": "Money produced = accepted", "verdict": "holds"}
            | {"left": "1,234,567.8900", "right": "1,234,567.8900", "difference": "0.0000"}
        ],
        "quality": [
            rule | {"rule": "sku.filled", "meaning": "A sale has a stock code."},
            rule | odd | {"rule": "customer_id.rate", "observed": "25 % unknown"},
        ],
        "quarantine": [{"reason": "bad_date", "records": 2}],
        "versions": {"spark": "4.2.0"},
    }


def free_port() -> int:
    """A loopback port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """An empty state folder of its own."""
    return Shop(Settings(home=tmp_path / "state", dashboard_port=free_port()))


@pytest.fixture
def selection() -> Callable[..., Any]:
    """Makes selections out of ISO days."""
    return lambda start, end, *countries: Selection(
        date.fromisoformat(start), date.fromisoformat(end), countries
    )


@pytest.fixture
def words_of() -> Callable[[Any], str]:
    """Reads a component as a person would: its texts in order, one blank between them."""

    def texts(part: Any) -> Iterator[str]:
        if isinstance(part, list | tuple):
            for each in part:
                yield from texts(each)
        elif hasattr(part, "to_plotly_json"):
            data = getattr(part, "data", None)
            if isinstance(data, dict):
                yield from texts([data["head"], data["body"]])
            yield from texts(getattr(part, "children", None))
        elif part is not None:
            yield str(part)

    return lambda part: " ".join(" ".join(texts(part)).split())


@contextlib.contextmanager
def serving(home: Path) -> Iterator[Shop]:
    """An empty shop whose dashboard runs as a program of its own."""
    shop = Shop(Settings(home=home, dashboard_port=free_port()))
    port = str(shop.settings.dashboard_port)
    environment = {**os.environ, "LAKE_HOME": str(home), "LAKE_DASHBOARD_PORT": port}
    log = home.with_name("dashboard.log")
    with (
        log.open("wb") as output,
        subprocess.Popen(
            [sys.executable, "-m", "dashboards.app"], env=environment, stdout=output, stderr=output
        ) as program,
    ):
        try:
            wait_for_port(shop.settings.dashboard_port, program)
            yield shop
        finally:
            program.terminate()
            program.wait(10)
    assert "Traceback" not in log.read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """The dashboard that most tests share; each publishes what it needs."""
    with serving(tmp_path_factory.mktemp("served") / "state") as shop:
        yield shop


@pytest.fixture
def fresh_server(tmp_path: Path) -> Iterator[Shop]:
    """A dashboard that nobody has asked for anything yet."""
    with serving(tmp_path / "state") as shop:
        yield shop


def wait_for_port(port: int, program: "subprocess.Popen[bytes]") -> None:
    """Returns when the port answers; fails when the program ends or a minute is over."""
    deadline = time.monotonic() + 60
    while program.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        select.select([], [], [], 0.05)
    raise AssertionError("the dashboard did not start")

"""What one small batch costs in a warm session: a shop's mixed records from bronze to silver.

In: nothing; states are made in a folder that is deleted. Out: per history the median CPU seconds
(this process, the JVM and Python's workers) and wall seconds of a batch of 3,000 and of 100
records, and the child processes of a batch, with machine and date.
Run standalone, on a machine that does nothing else: `.venv/bin/python bench/refine_batch.py`.

A history of silver order lines (0.5 and 5 million by default, of equally busy days) is written
without Spark, one file a month. A batch holds invoice lines, web orders, events, customers and
products; one record in 20 repeats one of the batch before, one in 50 is refused. Commands that
the JVM starts are counted by stand-ins on its PATH, which write a line each.
"""

import argparse
import os
import random
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import psutil
import pyarrow as pa
from deltalake import WriterProperties, write_deltalake

from lakehouse.contracts.arrow import arrow_schema
from lakehouse.contracts.tables import BRONZE_EVENTS, ORDER_LINES
from lakehouse.contracts.topics import (
    CATALOG_PRODUCTS,
    CRM_CUSTOMERS,
    ERP_INVOICE_LINES,
    WEB_EVENTS,
    WEB_ORDERS,
)
from lakehouse.settings import Settings
from lakehouse.state import claim
from lakehouse.tables import Transaction, append_rows, location
from storefront.messages import encode

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

LAST_DAY = date(2011, 12, 9)
LINES_A_DAY = 2_000
ROW_GROUP = 1 << 16
SHARES = {ERP_INVOICE_LINES: 50, WEB_ORDERS: 7, WEB_EVENTS: 40, CRM_CUSTOMERS: 2}
COMMANDS = ("readlink", "chmod", "stat", "ls", "ln", "id", "whoami", "bash", "sh", "df", "du")


@dataclass(frozen=True)
class Cost:
    """One batch."""

    cpu: float
    wall: float
    children: int


class Shop:
    """Records of a day after the history, batch by batch; always the same ones."""

    def __init__(self) -> None:
        self._dice = random.Random(15)  # noqa: S311 - the same dice each time
        self._number = 0
        self._offsets = dict.fromkeys((*SHARES, CATALOG_PRODUCTS), 0)
        self._before: list[tuple[Any, bytes]] = []

    def batch(self, size: int) -> list[tuple[str, int, bytes]]:
        """Topic, offset and value of each record."""
        topics = self._dice.choices(
            (*SHARES, CATALOG_PRODUCTS), weights=(*SHARES.values(), 1), k=size
        )
        made, rows = [], []
        for drawn in topics:
            if self._before and self._dice.random() < 0.05:
                topic, value = self._dice.choice(self._before)
            else:
                topic, value = drawn, encode(self._message(drawn))
                made.append((topic, value))
            rows.append((topic.name, self._offsets[topic], value))
            self._offsets[topic] += 1
        self._before = made
        return rows

    def _message(self, topic: Any) -> dict[str, Any]:
        self._number += 1
        number, dice = self._number, self._dice
        is_refused = dice.random() < 0.02
        at = datetime(2011, 12, 10, 8, tzinfo=UTC) + timedelta(seconds=number)
        envelope = {
            "event_id": f"{at:%Y%m%d}-{dice.getrandbits(256):064x}-1",
            "schema_version": 1,
            "occurred_at": f"{at:%Y-%m-%dT%H:%M:00Z}",
        }
        if topic is ERP_INVOICE_LINES:
            body: dict[str, Any] = {
                "InvoiceNo": str(600_000 + number // 20),
                "StockCode": f"SKU{number % 4000}",
                "Description": f"product {number % 4000}",
                "Quantity": "x" if is_refused else str(dice.randint(1, 12)),
                "InvoiceDate": f"{at - timedelta(seconds=number % 20):%Y-%m-%d %H:%M}",
                "UnitPrice": f"{dice.randint(1, 3000) / 100}",
                "CustomerID": str(10_000 + number % 5000),
                "Country": "France",
                "row_number": number,
                "line_number": number % 20 + 1,
            }
        elif topic is WEB_ORDERS:
            line = {"sku": "LAMP", "description": "red lamp", "quantity": 2, "unit_price": "2.50"}
            body = {
                "order_id": f"W-{number}",
                "order_kind": "sale",
                "customer_id": str(number % 5000),
                "session_id": f"s-{number}",
                "country": "France",
                "currency": "EUR" if is_refused else "GBP",
                "lines": [line] * dice.randint(1, 5),
            }
        elif topic is WEB_EVENTS:
            body = {
                "session_id": f"s-{number // 5}",
                "visitor_id": f"v-{number % 900}",
                "customer_id": None,
                "event_type": "nap" if is_refused else "product_view",
                "sku": "LAMP",
                "order_id": None,
                "device_type": "mobile",
                "schema_version": 2,
            }
        elif topic is CRM_CUSTOMERS:
            body = {
                "customer_id": str(number % 5000),
                "name": "Ada",
                "email": "ada@example.com",
                "address": None,
                "country": "France",
                "marketing_consent": "yes",
            }
        else:
            body = {
                "sku": f"SKU{number % 4000}",
                "description": "product",
                "category": "light",
                "unit_price": "2.50",
                "status": "active",
            }
        return {**envelope, **body}


def history(settings: Settings, *, rows: int) -> None:
    """Order lines of days before the first batch, sorted, one commit and file a month."""
    days = rows // LINES_A_DAY
    first = LAST_DAY - timedelta(days=days - 1)
    query = f"""
        select strftime(day, '%Y%m%d') || '-' || sha256(n::varchar) || '-1' as event_id,
            sha256('c' || n) as content_hash, 'erp' as source_system,
            (n // 20)::varchar as order_id, (n % 20 + 1)::int as line_number,
            'sale' as line_class, 'SKU' || n % 4000 as sku, 'product ' || n % 4000 as description,
            (n % 5000)::varchar as customer_id, 'France' as country,
            day::timestamp at time zone 'UTC' as ordered_at, day as order_date,
            strftime(day, '%Y-%m') as order_month, (n % 12 + 1)::bigint as quantity,
            2.5::decimal(12, 4) as unit_price, ((n % 12 + 1) * 2.5)::decimal(18, 4) as line_amount,
            'GBP' as currency, 1::bigint as refined_batch,
            '{ERP_INVOICE_LINES.name}' as source_topic, 1::int as source_partition,
            n::bigint as source_offset
        from (select n, (date '{first}' + (n // {LINES_A_DAY})::int)::date as day
              from range({days * LINES_A_DAY}) as numbers (n))"""
    form = WriterProperties(compression="ZSTD", max_row_group_size=ROW_GROUP)
    with duckdb.connect() as duck:
        duck.execute("set TimeZone = 'UTC'")
        duck.execute(f"create table lines as {query}")
        months = duck.execute("select distinct order_month from lines order by 1").fetchall()
        for (month,) in months:
            lines = duck.execute(
                "select * from lines where order_month = ? order by event_id", [month]
            ).to_arrow_table()
            target = location(ORDER_LINES, settings=settings)
            write_deltalake(target, lines, mode="append", writer_properties=form)


def run(
    spark: "SparkSession", settings: Settings, *, rows: int, sizes: Sequence[int], log: Path
) -> Iterator[tuple[int, Cost]]:
    """Size and cost of each batch of a query that goes on, after a history."""
    from streaming.queries import await_all_available
    from streaming.refine import QUERY, start_refine

    shop = Shop()
    query = start_refine(spark, settings=settings, follow=True)
    try:
        history(settings, rows=rows)
        for number, size in enumerate(sizes):
            _land(settings, shop.batch(size), number)
            log.write_text("")
            cpu, started = _cpu(), time.monotonic()
            await_all_available(query, name=QUERY)
            cost = Cost(_cpu() - cpu, time.monotonic() - started, len(log.read_text().split()))
            yield size, cost
    finally:
        query.stop()


def _land(settings: Settings, rows: list[tuple[str, int, bytes]], number: int) -> None:
    now, names = datetime.now(UTC), BRONZE_EVENTS.column_names()
    bronze = [
        dict(
            zip(names, (topic, 0, offset, b"key", value, None, None, now, now, number), strict=True)
        )
        for topic, offset, value in rows
    ]
    append_rows(
        pa.Table.from_pylist(bronze, arrow_schema(BRONZE_EVENTS)).to_reader(),
        BRONZE_EVENTS,
        settings=settings,
        transaction=Transaction("bench", number),
        metadata={"query": "ingest", "batch_id": number},
    )


def _cpu() -> float:
    """CPU seconds of this process and all below it, ended ones included."""
    total = 0.0
    for process in (me := psutil.Process(), *me.children(recursive=True)):
        times = process.cpu_times()
        total += times.user + times.system + times.children_user + times.children_system
    return total


def stand_ins(folder: Path) -> Path:
    """Put commands that are counted before the real ones; returns the file with a line of each."""
    log = folder / "started.log"
    log.touch()
    (folder / "bin").mkdir()
    for name in COMMANDS:
        real = shutil.which(name)
        script = folder / "bin" / name
        script.write_text(f'#!/bin/dash\necho {name} >>{log}\nexec {real} "$@"\n')
        script.chmod(0o755)
    os.environ["PATH"] = f"{folder / 'bin'}:{os.environ['PATH']}"
    return log


def main() -> int:
    """Measure each history and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="*", default=[500_000, 5_000_000])
    parser.add_argument("--batches", type=int, default=7, help="of each size")
    parser.add_argument("--warm-up", type=int, default=4, help="batches before, not counted")
    options = parser.parse_args()
    sizes = [3_000] * (options.warm_up + options.batches) + [100] * options.batches
    jars = Settings().jars_dir
    with tempfile.TemporaryDirectory(prefix="refine-batch-") as name:
        folder = Path(name)
        log = stand_ins(folder)
        from lakehouse.spark import open_session
        from lakehouse.tables import create_tables

        spark = None
        print(
            f"{'rows':>10} {'batch':>6} {'CPU-s':>7} {'wall s':>7} {'children':>9}   CPU-s of each"
        )
        medians = {}
        for rows in options.rows:
            settings = Settings(home=folder / f"rows-{rows}", storage=None)
            claim(settings)
            settings.jars_dir.symlink_to(jars)
            spark = spark or open_session(settings)
            create_tables(settings)
            costs: dict[int, list[Cost]] = {}
            ran = run(spark, settings, rows=rows, sizes=sizes, log=log)
            for size, cost in list(ran)[options.warm_up :]:
                costs.setdefault(size, []).append(cost)
            for size, found in costs.items():
                cpu = medians[rows, size] = statistics.median(each.cpu for each in found)
                wall = statistics.median(each.wall for each in found)
                children = statistics.median(each.children for each in found)
                each_cpu = " ".join(f"{each.cpu:.1f}" for each in found)
                line = (
                    f"{rows:>10,} {size:>6,} {cpu:>7.2f} {wall:>7.2f} {children:>9.0f}   {each_cpu}"
                )
                print(line, flush=True)
        if len(options.rows) > 1:
            least, most = min(options.rows), max(options.rows)
            print(f"{most:,} against {least:,}: {medians[most, 3_000] / medians[least, 3_000]:.2f}")
        if spark:
            spark.stop()
    load = os.getloadavg()[0]
    print(f"{os.cpu_count()} cores, load {load:.1f}, {datetime.now(UTC):%Y-%m-%d %H:%M} UTC")
    return 0


if __name__ == "__main__":
    sys.exit(main())

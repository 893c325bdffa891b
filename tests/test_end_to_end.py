"""The whole product as a person meets it: `lake demo` on a slice of real history, then a browser.

Real Kafka, Spark, dbt, Great Expectations, Dash and chromium; the expected figures come from the
rows themselves, by arithmetic that shares no code with the platform.
"""

import csv
import gzip
import json
import os
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from lakehouse.jars.fetch import ensure_jars
from lakehouse.settings import PROJECT_ROOT, Settings
from lakehouse.state import claim
from storefront.data import embedded_history
from tests.brokers import free_ports
from tests.other_set_up import ODD_NAME, other_set_up

LAKE = Path(sys.prefix) / "bin" / "lake"
ROWS = 6_000
BAD_ROWS = (
    ("600001", "22423", "BAD QUANTITY", "many", "2010-12-01 09:00:00", "1.00", "17850", "France"),
    ("600002", "22423", "BAD PRICE", "1", "2010-12-01 09:00:00", "one", "17850", "France"),
    ("600003", "22423", "BAD DATE", "1", "2010-02-30 09:00:00", "1.00", "17850", "France"),
    ("", "22423", "NO INVOICE", "1", "2010-12-01 09:00:00", "1.00", "17850", "France"),
    ("600005", "22423", "FINE PRICE", "1", "2010-12-01 09:00:00", "1.23456", "17850", "France"),
    ("600006", "22423", "HUGE", "1" + "0" * 15, "2010-12-01 09:00:00", "1.00", "1", "France"),
    ("600007", "22423", "BELL \x07", "1", "2010-12-01 09:00:00", "1.00", "17850", "France"),
)
REASONS = {
    "bad_quantity": 1,
    "bad_price": 1,
    "bad_date": 1,
    "missing_order_id": 1,
    "too_many_decimals": 1,
    "quantity_out_of_range": 1,
    "control_characters": 1,
}


@dataclass(frozen=True)
class Shop:
    """One state folder with a published demo of an extract, and what it must show."""

    environment: dict[str, str]
    extract: Path
    gross: Decimal
    cancelled: Decimal
    orders: int
    first_output: str

    def lake(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(LAKE), *arguments],
            env=self.environment,
            cwd=PROJECT_ROOT,
            capture_output=True,
            text=True,
            check=False,
        )

    def report(self) -> dict[str, object]:
        path = Path(self.environment["LAKE_HOME"]) / "reports" / "latest.json"
        found: dict[str, object] = json.loads(path.read_text(encoding="utf-8"))
        return found


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """A demo of 6,000 real lines, 200 of them sent twice, and seven bad ones.

    It runs beside another set-up of every engine, in a folder with an odd name.
    """
    folder = tmp_path_factory.mktemp("shop")
    home = folder / ODD_NAME / "state"
    claim(Settings(home=home))
    (home / "jars").symlink_to(_jars(), target_is_directory=True)
    rows = _real_rows()
    extract = folder / "extract.csv.gz"
    names = pq.read_schema(embedded_history()).names
    with gzip.open(extract, "wt", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(names)
        writer.writerows([*rows, *rows[:200], *BAD_ROWS])
    distinct = set(rows)
    kafka, controller, screens = free_ports(3)
    environment = {
        **os.environ,
        **other_set_up(folder / "another"),
        "LAKE_HOME": str(home),
        "LAKE_KAFKA_PORT": str(kafka),
        "LAKE_KAFKA_CONTROLLER_PORT": str(controller),
        "LAKE_DASHBOARD_PORT": str(screens),
    }
    first = Shop(environment, extract, *_expected(distinct), first_output="")
    done = first.lake("demo", "--once", "--file", str(extract), "--sources", "erp")
    assert done.returncode == 0, done.stdout + done.stderr
    return Shop(environment, extract, *_expected(distinct), first_output=done.stdout)


def _jars() -> Path:
    settings = Settings()
    ensure_jars(settings)
    return settings.jars_dir


def _real_rows() -> list[tuple[str, ...]]:
    table = pq.read_table(embedded_history()).slice(0, ROWS)
    columns = [
        ["" if value is None else str(value) for value in table.column(name).to_pylist()]
        for name in table.column_names
    ]
    return list(zip(*columns, strict=True))


def _expected(distinct: set[tuple[str, ...]]) -> tuple[Decimal, Decimal, int]:
    gross, cancelled, orders = Decimal(0), Decimal(0), set()
    for invoice, _, _, quantity, _, price, _, _ in distinct:
        amount = int(quantity) * Decimal(price)
        if invoice.startswith("C"):
            cancelled += amount
        elif not invoice.startswith("A") and int(quantity) >= 0 and Decimal(price) != 0:
            gross += amount
            orders.add(invoice)
    return gross, cancelled, len(orders)


def _shown(amount: Decimal) -> str:
    return f"£{amount.quantize(Decimal('0.01'), rounding=ROUND_HALF_UP):,}"


@pytest.mark.spark
@pytest.mark.kafka
def test_the_demo_shows_exactly_what_the_rows_add_up_to(shop: Shop) -> None:
    report = shop.report()
    figures = report["figures"]
    assert isinstance(figures, dict)
    assert report["verdict"] == "passed"
    assert Decimal(figures["erp_gross_amount"]) == shop.gross
    assert Decimal(figures["cancelled_amount"]) == shop.cancelled
    assert int(figures["erp_order_count"]) == shop.orders
    assert _shown(shop.gross) in shop.first_output


@pytest.mark.spark
@pytest.mark.kafka
def test_bad_rows_lie_in_quarantine_by_their_reason(shop: Shop) -> None:
    listed = shop.report()["quarantine"]
    assert isinstance(listed, list)
    assert {row["reason"]: row["records"] for row in listed} == REASONS
    printed = shop.lake("quarantine", "list")
    assert printed.returncode == 0
    assert all(reason in printed.stdout for reason in REASONS)


@pytest.mark.spark
@pytest.mark.kafka
def test_every_equation_holds_on_the_published_state(shop: Shop) -> None:
    audit = shop.lake("audit", "--full")
    assert audit.returncode == 0, audit.stdout
    assert "fails" not in audit.stdout


@pytest.mark.slow
@pytest.mark.spark
@pytest.mark.kafka
def test_a_second_demo_changes_nothing_and_says_so(shop: Shop) -> None:
    before = shop.report()
    again = shop.lake("demo", "--once", "--file", str(shop.extract), "--sources", "erp")
    assert again.returncode == 0, again.stdout + again.stderr
    assert "Nothing was new." in again.stdout
    after = shop.report()
    for key in ("figures", "quarantine", "reconciliation", "quality", "publish"):
        assert after[key] == before[key]


@pytest.mark.spark
@pytest.mark.kafka
@pytest.mark.browser
def test_the_browser_shows_the_pennies_that_the_rows_add_up_to(shop: Shop) -> None:
    from playwright.sync_api import expect, sync_playwright

    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    assert chromium, "chromium is missing: apt-get install chromium"
    with _screens(shop) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium,
            args=[
                "--no-sandbox",
                "--disable-gpu",
                "--disable-quic",
                "--no-first-run",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
            ],
        )
        page = browser.new_page()
        page.goto(address)
        card = page.locator("[data-kpi=net-revenue] .kpi-value")
        expect(card).to_contain_text(_shown(shop.gross + shop.cancelled), timeout=30_000)
        browser.close()


@contextmanager
def _screens(shop: Shop) -> Iterator[str]:
    address = f"http://127.0.0.1:{shop.environment['LAKE_DASHBOARD_PORT']}/"
    process = subprocess.Popen(
        [str(LAKE), "dashboard"],
        env=shop.environment,
        cwd=PROJECT_ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert address in process.stdout.readline()
        _await_health(address)
        yield address
    finally:
        process.terminate()
        process.wait(timeout=30)
        process.stdout.close()


def _await_health(address: str) -> None:
    import time

    deadline = time.monotonic() + 60
    while True:
        try:
            urllib.request.urlopen(f"{address}healthz", timeout=5).close()  # noqa: S310
        except OSError:
            assert time.monotonic() < deadline, "the dashboard did not answer"
        else:
            return

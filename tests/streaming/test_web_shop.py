"""The simulated shop sent as it happens: each opening is of its own moment, nothing doubles."""

import csv
from datetime import timedelta
from pathlib import Path

import pytest

from lakehouse.contracts.tables import BRONZE_EVENTS, DUPLICATES, WEB_EVENTS
from lakehouse.contracts.topics import ERP_COLUMNS
from lakehouse.errors import LakeError
from lakehouse.shop_clock import shop_clock
from operations.audit import audit_service
from operations.cli.produce import seconds_of
from pipelines.transforms.order_rules import shop_day
from streaming.rate_limit import Pace
from streaming.web_shop import send_live, send_shop_days, shop_days_sent
from tests.lake_state import LakeState, failing, texts


@pytest.fixture
def extract(tmp_path: Path) -> Path:
    """A small extract: products and customers for the shop."""
    path = tmp_path / "extract.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(ERP_COLUMNS)
        writer.writerows(
            texts(
                InvoiceNo=str(536_000 + n),
                StockCode=str(20_000 + n),
                InvoiceDate="2010-12-01 08:26",
                CustomerID=f"{13_000 + n}",
            )
            for n in range(12)
        )
    return path


@pytest.mark.spark
@pytest.mark.kafka
def test_each_opening_of_the_live_shop_is_of_its_own_moment_and_sends_nothing_twice(
    kafka_lake: LakeState, extract: Path
) -> None:
    settings = kafka_lake.settings
    now = [0.0]

    def wait(seconds: float) -> None:
        now[0] += seconds

    sent_days = send_shop_days(2, settings=settings, catalog_file=extract, seed=7)
    counts = []
    for seconds in (1.5, 2.5):
        pace = Pace(20, seconds, clock=lambda: now[0], wait=wait, tick_seconds=0.2, makes_up=True)
        sent = send_live(pace, settings=settings, catalog_file=extract, seed=7)
        counts.append((sent.records - pace.sent, pace.sent))
    # The first opening announces the products; after its time nothing is due any more.
    assert [announced > 0 for announced, _ in counts] == [True, False]
    assert [traded for _, traded in counts] == [32, 52]
    assert shop_days_sent(settings, seed=7) == 2

    kafka_lake.ingest()
    kafka_lake.refine()
    records = sent_days.records + sum(map(sum, counts))
    assert len(kafka_lake.rows(BRONZE_EVENTS, "offset")) == records
    assert kafka_lake.rows(DUPLICATES, "identity") == []
    assert failing(audit_service(settings, full=True)) == {}
    days = {day for (day,) in kafka_lake.rows(WEB_EVENTS, "event_date")}
    today = shop_day(shop_clock(settings).now())
    assert today in days
    assert today == max(days)
    assert min(days) == today - timedelta(days=2)


def test_a_span_of_time_is_read_in_seconds_minutes_and_hours() -> None:
    assert [seconds_of(each, option="--for") for each in ("90", "90s", "1.5m", "2h")] == [
        90,
        90,
        90,
        7200,
    ]
    for wrong in ("", "ten", "0", "-5s", "5d"):
        with pytest.raises(LakeError, match=f"--for {wrong} is no span of time"):
            seconds_of(wrong, option="--for")

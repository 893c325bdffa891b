"""The simulated shop sent in real time: stopped anywhere, it goes on there, and nothing doubles."""

import csv
from pathlib import Path

import pytest

from lakehouse.contracts.tables import BRONZE_EVENTS, DUPLICATES
from lakehouse.contracts.topics import ERP_COLUMNS
from lakehouse.errors import LakeError
from operations.audit import audit_service
from operations.cli.produce import seconds_of
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
def test_a_live_shop_that_was_stopped_goes_on_and_equals_its_days_sent_at_once(
    kafka_lake: LakeState, extract: Path
) -> None:
    settings = kafka_lake.settings
    now = [0.0]

    def wait(seconds: float) -> None:
        now[0] += seconds

    counts = []
    for seconds in (1.5, 2.5):
        pace = Pace(20, seconds, clock=lambda: now[0], wait=wait)
        sent = send_live(pace, settings=settings, catalog_file=extract, seed=7)
        counts.append(sent.records)
    assert counts == [40, 60]
    assert shop_days_sent(settings, seed=7) == 1
    rest = send_shop_days(1, settings=settings, catalog_file=extract, seed=7)
    assert (rest.skipped, rest.records > 0) == (100, True)
    assert send_shop_days(1, settings=settings, catalog_file=extract, seed=7).records == 0

    kafka_lake.ingest()
    kafka_lake.refine()
    assert len(kafka_lake.rows(BRONZE_EVENTS, "offset")) == rest.skipped + rest.records
    assert kafka_lake.rows(DUPLICATES, "identity") == []
    assert failing(audit_service(settings, full=True)) == {}


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

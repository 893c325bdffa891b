"""Wrong clocks, changes of the clocks, leap days, the ends of time: the right day, or a reason."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from kafka import KafkaProducer

from lakehouse.contracts.gold import FCT_ORDERS
from lakehouse.contracts.tables import BRONZE_EVENTS, ORDER_LINES, QUARANTINE
from lakehouse.duck import open_gold
from operations.audit import audit_service
from pipelines.publishing.publish import Workers
from tests.faults.proof import Damage
from tests.faults.results import Recorder
from tests.lake_state import LakeState, Record, bring_into_service, erp, failing, web_order

pytestmark = [pytest.mark.spark, pytest.mark.kafka, pytest.mark.slow]

LONDON = ZoneInfo("Europe/London")
NOW = datetime.now(UTC).replace(microsecond=0)
SKEWED = [NOW - timedelta(days=2), NOW + timedelta(days=2)]
OCCURRED: dict[str, str] = {
    "2011-03-27T00:59:59Z": "2011-03-27",
    "2011-03-27T01:00:00Z": "2011-03-27",
    "2011-03-27T22:59:59Z": "2011-03-27",
    "2011-03-27T23:00:00Z": "2011-03-28",
    "2011-10-29T22:59:59Z": "2011-10-29",
    "2011-10-29T23:00:00Z": "2011-10-30",
    "2011-10-30T00:30:00Z": "2011-10-30",
    "2011-10-30T01:30:00Z": "2011-10-30",
    "2011-10-30T23:59:59.999999Z": "2011-10-30",
    "2012-02-28T23:59:59Z": "2012-02-28",
    "2012-02-29T12:00:00Z": "2012-02-29",
    "2011-02-29T12:00:00Z": "bad_time",
    "2000-02-29T12:00:00+00:00": "2000-02-29",
    "1990-01-01T00:00:00Z": "1990-01-01",
    "1989-12-31T23:59:59Z": "bad_time",
    "1970-01-01T00:00:00Z": "bad_time",
    "2099-12-31T23:59:59Z": "2099-12-31",
    "2100-01-01T00:00:00Z": "bad_time",
    **{f"{at:%Y-%m-%dT%H:%M:%SZ}": at.astimezone(LONDON).date().isoformat() for at in SKEWED},
}
"""`occurred_at` of a web order -> its day in London, or the reason why it is refused."""
INVOICED: dict[str, str] = {
    "3/27/2011 1:30": "2011-03-27",
    "10/30/2011 1:30": "2011-10-30",
    "10/30/2011 0:00": "2011-10-30",
    "2/29/2012 9:00": "2012-02-29",
    "2/29/2011 9:00": "bad_date",
    "12/31/2011 23:59": "2011-12-31",
    "1/1/1990 0:00": "1990-01-01",
    "1/1/1970 0:00": "date_out_of_range",
    "12/31/2099 23:59": "2099-12-31",
    "1/1/2100 0:00": "date_out_of_range",
}
"""InvoiceDate of an ERP line, in shop time -> its day, or the reason why it is refused."""
CLIENT_CLOCKS = (datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))


def records() -> dict[str, Record]:
    """A record per time by its order id; the ERP's extractor has a wrong clock too."""
    found = {
        f"W-{n}": web_order(0, {}, event_id=f"w-{n}", order_id=f"W-{n}", occurred_at=at)
        for n, at in enumerate(OCCURRED)
    }
    for number, invoiced in enumerate(INVOICED):
        occurred = {"occurred_at": f"{SKEWED[number % 2]:%Y-%m-%dT%H:%M:%SZ}"}
        order = str(660_000 + number)
        found[order] = erp(0, InvoiceNo=order, InvoiceDate=invoiced, fields=occurred)
    return found


def send(lake: LakeState, *sent: Record) -> None:
    """Send with the clocks of clients that are days or lifetimes off."""
    clocks = [*SKEWED, *CLIENT_CLOCKS]
    producer = KafkaProducer(bootstrap_servers=lake.settings.bootstrap, acks="all")
    try:
        for number, record in enumerate(sent):
            stamp = int(clocks[number % len(clocks)].timestamp() * 1000)
            producer.send(record.topic, record.value, timestamp_ms=stamp).get(timeout=30)
    finally:
        producer.close()


def test_wrong_clocks_and_odd_days_end_in_the_right_day_or_with_a_reason(
    kafka_lake: LakeState, workers: Workers, record_fault: Recorder
) -> None:
    """T23: client clocks 2 days off, changes of the clocks, leap day, years 1970 and 2100."""
    lake, sent = kafka_lake, records()
    send(lake, *sent.values())
    lake.ingest()
    lake.refine()

    expected = dict(zip(sent, [*OCCURRED.values(), *INVOICED.values()], strict=True))
    found = {order: str(day) for order, day in lake.rows(ORDER_LINES, "order_id", "order_date")}
    accepted = {order: day for order, day in expected.items() if day[0].isdigit()}
    assert found == accepted
    refused = sorted(expected[order] for order in expected.keys() - accepted.keys())
    assert [reason for (reason,) in lake.rows(QUARANTINE, "reason")] == refused
    assert len(lake.dispositions()) == len(sent)
    months = lake.rows(ORDER_LINES, "order_date", "order_month")
    assert [month for _, month in months] == [f"{day:%Y-%m}" for day, _ in months]
    arrived = [at.astimezone(UTC) for (at,) in lake.rows(BRONZE_EVENTS, "kafka_at")]
    assert all(abs(at - NOW) < timedelta(hours=2) for at in arrived)

    bring_into_service(lake.settings, workers)
    with open_gold(lake.settings) as gold:
        days = gold.execute(f"select order_id, order_date from {FCT_ORDERS}").fetchall()
    assert {order: str(day) for order, day in days} == accepted
    assert min(day for _, day in days) == date(1990, 1, 1)
    assert failing(audit_service(lake.settings, full=True)) == {}
    record_fault(Damage(len(sent), 0, 0, Decimal(0)), note=f"{len(refused)} refused with a reason")

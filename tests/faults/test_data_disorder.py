"""Late, doubled, reordered and conflicting records, and a spike of poison, from Kafka to gold."""

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest

from lakehouse.contracts.gold import FCT_DAILY_KPIS
from lakehouse.contracts.tables import ORDER_LINES, QUARANTINE
from lakehouse.duck import open_gold
from lakehouse.errors import CheckFailed
from lakehouse.ledger import chain
from lakehouse.settings import Settings
from operations.audit import audit_service
from operations.status import describe
from pipelines.publishing.publish import Workers
from pipelines.publishing.restatements import of_published_runs, summary
from quality.gate.refusal_spike import accept_run
from streaming.producer import Source, produce
from tests.faults.proof import Damage
from tests.faults.results import Recorder
from tests.lake_state import (
    LakeState,
    Record,
    bring_into_service,
    erp,
    erp_event_id,
    failing,
    messages_of,
    texts,
    web_order,
)

pytestmark = [pytest.mark.spark, pytest.mark.kafka]

FIRST_DAY, DAYS, CUT = date(2011, 10, 1), 60, date(2011, 11, 20)
FOURTH = Decimal("0.0001")
Kpis = dict[tuple[date, str], Decimal]


@dataclass(frozen=True)
class Line:
    """An invoice line as its source states it, the day it was sold and the day it was sent."""

    invoice: str
    sold_on: date
    sent_on: date
    quantity: int
    price: Decimal
    customer: str

    @property
    def texts(self) -> dict[str, str]:
        return {
            "InvoiceNo": self.invoice,
            "InvoiceDate": f"{self.sold_on.month}/{self.sold_on.day}/{self.sold_on.year} 9:30",
            "Quantity": str(self.quantity),
            "UnitPrice": f"{self.price}",
            "CustomerID": self.customer,
        }

    @property
    def event_id(self) -> str:
        return erp_event_id(texts(**self.texts))


def sold_lines(count: int, *, seed: int) -> list[Line]:
    """Lines over two months; one in twenty is sent up to 30 days late."""
    dice = random.Random(seed)  # noqa: S311 - the same dice each time
    found = []
    for number in range(count):
        sold_on = FIRST_DAY + timedelta(days=dice.randrange(DAYS))
        late = dice.randint(1, 30) if dice.random() < 0.05 else 0
        cancels = dice.random() < 0.08
        quantity = dice.randint(1, 12)
        found.append(
            Line(
                f"{'C' if cancels else ''}{640_000 + number}",
                sold_on,
                sold_on + timedelta(days=late),
                -quantity if cancels else quantity,
                Decimal(dice.randint(1, 99_999)) / 1000,
                str(dice.randint(12_000, 12_060)),
            )
        )
    return found


def records_of(lines: Sequence[Line], *, seed: int) -> tuple[list[Record], dict[str, int]]:
    """Records out of order within a day; 1 % sent again, 1 % again with another amount."""
    dice = random.Random(seed)  # noqa: S311 - the same dice each time
    dated: list[tuple[date, float, dict[str, Any]]] = []
    planted = {"redelivered": 0, "conflict": 0}
    for number, line in enumerate(lines):
        place = dice.random()
        dated.append((line.sent_on, place, line.texts))
        if number % 100 == 3:
            dated.append((line.sent_on, place + 1, line.texts))
            planted["redelivered"] += 1
        if number % 100 == 7:
            other = {"fields": {"UnitPrice": "999", "event_id": line.event_id}}
            dated.append((line.sent_on, place + 1, {**line.texts, **other}))
            planted["conflict"] += 1
    dated.sort(key=lambda each: each[:2])
    return [erp(0, **facts) for _, _, facts in dated], planted


def kpis_of(lines: Iterable[Line]) -> Kpis:
    """The daily KPIs by plain arithmetic, every day from the first to the last."""
    by_day: dict[date, list[Line]] = {}
    for line in lines:
        by_day.setdefault(line.sold_on, []).append(line)
    found: Kpis = {}
    known: set[str] = set()
    day = traded = min(by_day)
    while day <= max(by_day):
        traded = day if day in by_day else traded
        sales = [line for line in by_day.get(day, []) if line.quantity > 0]
        gross = sum((line.quantity * line.price for line in sales), Decimal(0))
        net = sum((line.quantity * line.price for line in by_day.get(day, [])), Decimal(0))
        values = {
            "gross_revenue": gross,
            "cancelled_amount": net - gross,
            "net_revenue": net,
            "order_count": Decimal(len({line.invoice for line in sales})),
            "active_customers": Decimal(len({line.customer for line in sales})),
            "item_quantity": Decimal(sum(line.quantity for line in sales)),
            "new_customers": Decimal(len({line.customer for line in sales} - known)),
            "freshness_days": Decimal((day - traded).days),
        }
        if sales:
            mean = gross / values["order_count"]
            values["average_order_value"] = mean.quantize(FOURTH, rounding=ROUND_HALF_UP)
            back = 1 - values["new_customers"] / values["active_customers"]
            values["repeat_rate"] = back.quantize(FOURTH, rounding=ROUND_HALF_UP)
            returned = (gross - net) / gross
            values["return_rate"] = returned.quantize(FOURTH, rounding=ROUND_HALF_UP)
        known |= {line.customer for line in sales}
        found |= {(day, kpi): value.quantize(FOURTH) for kpi, value in values.items()}
        day += timedelta(days=1)
    return found


def published_kpis(settings: Settings) -> Kpis:
    with open_gold(settings) as gold:
        rows = gold.execute(f"select kpi_date, kpi, value from {FCT_DAILY_KPIS}").fetchall()
    return {(day, kpi): value for day, kpi, value in rows}


@pytest.mark.slow
def test_late_doubled_reordered_and_conflicting_records_leave_the_sources_truth_in_gold(
    kafka_lake: LakeState, workers: Workers, record_fault: Recorder
) -> None:
    """T15 to T17: 1 % doubled, 5 % up to 30 days late, out of order, 1 % conflicting ids."""
    lake, settings = kafka_lake, kafka_lake.settings
    lines = sold_lines(1_000, seed=15)
    early = [line for line in lines if line.sent_on <= CUT]
    later = [line for line in lines if line.sent_on > CUT]
    sent = 0
    planted = {"redelivered": 0, "conflict": 0}
    for name, part in (("early", early), ("later", later)):
        records, counts = records_of(part, seed=16)
        sent += len(records)
        planted = {kind: planted[kind] + counts[kind] for kind in planted}
        produce(messages_of(*records), source=Source(name, name), settings=settings)
        lake.ingest()
        lake.refine()
        bring_into_service(settings, workers, run_id=name)
        known = early if name == "early" else lines
        assert published_kpis(settings) == kpis_of(known)

    before, after = kpis_of(early), kpis_of(lines)
    days = {day for day, _ in before}
    changed = {
        (day, kpi): (before.get((day, kpi)), after.get((day, kpi)))
        for day, kpi in before.keys() | after.keys()
        if day in days and before.get((day, kpi)) != after.get((day, kpi))
    }
    restated = of_published_runs(settings)
    assert {(each.kpi_date, each.kpi): (each.old_value, each.new_value) for each in restated} == (
        changed
    )
    assert {each.run_id for each in restated} == {"later"}
    late_days = {line.sold_on for line in later if line.sold_on in days}
    assert {each.kpi_date for each in restated} == late_days
    assert len(late_days) > 5
    counts = summary(settings)
    assert (counts["days"], counts["figures"]) == (len(late_days), len(changed))
    assert f"{len(changed):,} KPIs of {len(late_days)} days by that run" in describe(settings)

    places = list(lake.dispositions().values())
    assert {place: places.count(place) for place in set(places)} == {
        "accepted": len(lines),
        **planted,
    }
    amounts = dict(lake.rows(ORDER_LINES, "event_id", "line_amount"))
    assert amounts == {line.event_id: line.quantity * line.price for line in lines}
    assert failing(audit_service(settings, full=True)) == {}
    record_fault(
        Damage(sent, 0, 0, Decimal(0)),
        note=f"{len(late_days)} published days restated, each change kept",
    )


@pytest.mark.slow
def test_a_spike_of_poison_stops_no_stream_and_blocks_the_publish_until_it_is_accepted(
    kafka_lake: LakeState, workers: Workers, record_fault: Recorder
) -> None:
    """T19: 30 % poison among sound records; all is refined, the publish waits for a person."""
    lake, settings = kafka_lake, kafka_lake.settings
    spoilt = ({"Quantity": "many"}, {"UnitPrice": "1.23456"}, {"InvoiceDate": "31/31/2011 9:00"})
    records = [
        erp(0, InvoiceNo=str(650_000 + n), **(spoilt[n % 3] if n % 10 < 3 else {}))
        for n in range(500)
    ]
    produce(messages_of(*records), source=Source("spike", "spike"), settings=settings)
    lake.ingest()
    lake.refine()
    reasons = lake.rows(QUARANTINE, "reason")
    assert len(reasons) == 150
    assert {reason for (reason,) in reasons} == {"bad_quantity", "too_many_decimals", "bad_date"}
    assert len(lake.rows(ORDER_LINES, "order_id")) == 350

    with pytest.raises(CheckFailed, match=r"150 of 500 records refused in erp.*--accept spike-1"):
        bring_into_service(settings, workers, run_id="spike-1")
    after = [web_order(0, {}, event_id=f"after-{n}", order_id=f"A-{n}") for n in range(20)]
    produce(messages_of(*after), source=Source("after", "after"), settings=settings)
    lake.ingest()
    lake.refine()
    assert len(lake.rows(ORDER_LINES, "order_id")) == 370
    with pytest.raises(CheckFailed, match=r"150 of 500 records refused in erp.*--accept spike-2"):
        bring_into_service(settings, workers, run_id="spike-2")
    accept_run("spike-2", reason="the till was broken", settings=settings)
    bring_into_service(settings, workers, run_id="calm", accept_reason="the till was broken")

    blocked = [
        line["run_id"]
        for line in chain.lines("publishes", settings=settings)
        if line["kind"] == "blocked"
    ]
    assert blocked == ["spike-1", "spike-2"]
    (accepted,) = chain.lines("operations", settings=settings)
    assert (accepted["run_id"], accepted["reason"]) == ("spike-2", "the till was broken")
    assert failing(audit_service(settings, full=True)) == {}
    record_fault(Damage(520, 0, 0, Decimal(0)), human_steps=1, note="the way on is in the ledger")

"""Batch equals stream: silver from bronze again, row by row, of all days or some."""

from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import functions as F

from lakehouse.contracts import dead_letter_topic
from lakehouse.contracts.tables import (
    BRONZE_EVENTS,
    CUSTOMER_CONTACTS,
    CUSTOMERS,
    DUPLICATES,
    ORDER_LINES,
    QUARANTINE,
    TABLES,
    Table,
)
from lakehouse.contracts.topics import ERP_INVOICE_LINES, WEB_ORDERS
from lakehouse.errors import LakeError
from lakehouse.ledger import chain
from lakehouse.locks import hold
from lakehouse.stages import StageLog, TreeMeter
from lakehouse.tables import current_versions, location
from operations.context import Context
from operations.recovery import backfill, rebuild
from operations.recovery.intents import unfinished
from operations.recovery.resume import finish_cut_short
from pipelines.publishing.publish import PublishOutcome
from pipelines.silver import rewriter
from pipelines.silver.days import Days
from tests.lake_state import LakeState, Record, customer, erp, everything, trade_in, web_order
from tests.pipelines.silver.test_refine import losers_before_the_flip

pytestmark = pytest.mark.spark

SILVER = tuple(table for table in TABLES if table is not BRONZE_EVENTS)
ALL = Days()
ERP, WEB = ERP_INVOICE_LINES.name, WEB_ORDERS.name


def request(days: Days, table: Table | None = None) -> dict[str, Any]:
    name = table.name if table else None
    return {"operation": "backfill", **days.facts(), "table": name}


def context(lake: LakeState, run_id: str = "a-run") -> Context:
    log, outcome = StageLog(TreeMeter()), PublishOutcome(run_id)
    return Context(lake.settings, log, outcome, _spark=lake.spark)


def run(lake: LakeState, days: Days, table: Table | None = None, **named: str) -> dict[str, int]:
    """Backfill; rows that differed by table, of those that were written."""
    found = backfill.run(context(lake, **named), request(days, table))
    return {each.table: each.differing for each in found if each.differing}


def silver(lake: LakeState) -> dict[str, list[tuple[Any, ...]]]:
    return {table.name: lake.rows(table) for table in SILVER}


def unnumbered(lake: LakeState, table: Table) -> list[tuple[Any, ...]]:
    names = (name for name in table.column_names() if name != "refined_batch")
    return lake.rows(table, *names)


def spoil(lake: LakeState, table: Table, where: str, values: Mapping[str, str] | None) -> None:
    """Change or delete rows of a table as nobody should."""
    from delta.tables import DeltaTable

    target = DeltaTable.forPath(lake.spark, location(table, settings=lake.settings))
    if values is None:
        target.delete(where)
    else:
        target.update(where, {name: F.expr(text) for name, text in values.items()})


def two_days() -> list[Any]:
    """Orders and customers of two London days; the second begins at 23:00 UTC of the first."""
    first, second = "2011-07-01T12:00:00Z", "2011-07-01T23:30:00Z"
    return [
        erp(0, InvoiceDate="7/1/2011 9:00"),
        erp(1, InvoiceDate="7/1/2011 9:00"),
        erp(2, InvoiceDate="7/2/2011 9:00"),
        erp(3, InvoiceDate="7/2/2011 9:00", occurrence=2),
        erp(4, Quantity="six"),
        web_order(0, event_id="w-1", order_id="W-1", occurred_at=first),
        web_order(1, event_id="w-2", order_id="W-2", occurred_at=second),
        customer(0, "c-1", occurred_at=first),
        customer(1, "c-2", occurred_at=second),
    ]


@pytest.mark.slow
def test_silver_of_the_stream_differs_in_nothing_from_bronze(lake: LakeState) -> None:
    first, second = losers_before_the_flip()
    lake.land(*first)
    lake.refine()
    lake.land(*second)
    lake.refine()
    lake.land(*(each for each in everything() if each.topic not in (ERP, WEB) or each.offset > 1))
    lake.refine()
    before, versions = silver(lake), current_versions(lake.settings)
    assert all(before.values())

    assert run(lake, ALL) == {}
    assert run(lake, Days(date(2010, 12, 1), date(2011, 12, 31))) == {}
    assert silver(lake) == before
    assert current_versions(lake.settings) == versions
    kinds = [line["kind"] for line in chain.lines("operations", settings=lake.settings)]
    assert kinds == ["intent", "done", "intent", "done"]


def test_only_the_asked_days_are_rewritten_and_twice_equals_once(lake: LakeState) -> None:
    lake.land(*two_days())
    lake.refine()
    sound = {table: unnumbered(lake, table) for table in SILVER}
    spoil(lake, ORDER_LINES, "true", {"line_amount": "line_amount + 1"})
    spoil(lake, ORDER_LINES, "order_id = 'W-2'", None)
    spoil(lake, CUSTOMERS, "true", {"country": "'Spain'"})
    spoil(lake, CUSTOMER_CONTACTS, "true", {"name": "'Eve'"})
    spoil(lake, DUPLICATES, "true", None)
    spoilt = {table: unnumbered(lake, table) for table in SILVER}

    second = Days(date(2011, 7, 2), date(2011, 7, 2))
    assert run(lake, second) == {
        DUPLICATES.name: 1,
        CUSTOMERS.name: 1,
        CUSTOMER_CONTACTS.name: 1,
        ORDER_LINES.name: 2,
    }
    day = ORDER_LINES.column_names().index("order_date")
    assert [row for row in unnumbered(lake, ORDER_LINES) if row[day] == date(2011, 7, 2)] == [
        row for row in sound[ORDER_LINES] if row[day] == date(2011, 7, 2)
    ]
    assert [row for row in unnumbered(lake, ORDER_LINES) if row[day] == date(2011, 7, 1)] == [
        row for row in spoilt[ORDER_LINES] if row[day] == date(2011, 7, 1)
    ]
    assert lake.rows(CUSTOMERS, "event_id", "country") == [("c-1", "Spain"), ("c-2", "France")]
    assert lake.rows(CUSTOMER_CONTACTS, "event_id", "name") == [("c-1", "Eve"), ("c-2", "Ada")]
    assert lake.rows(DUPLICATES, "offset", "disposition") == [(3, "repeated")]
    once = silver(lake)
    assert run(lake, second) == {}
    assert silver(lake) == once

    (done, *_) = (
        line for line in chain.lines("operations", settings=lake.settings) if line["kind"] == "done"
    )
    assert (done["from"], done["to"], done["table"]) == ("2011-07-02", "2011-07-02", None)
    assert done["rows_before"][ORDER_LINES.name] == 3
    assert done["rows_after"][ORDER_LINES.name] == 4
    # 2 x 15.30 + 5 + 3 spoilt, then the lost order of 5 is back and one spoilt pound gone.
    assert (done["amount_before"], done["amount_after"]) == ("38.6000", "42.6000")

    assert run(lake, ALL)[ORDER_LINES.name] == 2
    assert {table: unnumbered(lake, table) for table in SILVER} == sound


@pytest.mark.slow
def test_right_rows_keep_their_number_and_others_get_the_next(lake: LakeState) -> None:
    lake.land(*two_days())
    lake.refine()
    spoil(lake, ORDER_LINES, "order_id = 'W-2'", {"line_amount": "1"})
    run(lake, ALL)
    numbers = dict(lake.rows(ORDER_LINES, "order_id", "refined_batch"))
    assert (numbers["W-1"], numbers["W-2"]) == (1, 2)
    lake.land(web_order(9, event_id="later", order_id="W-9"))
    lake.refine()
    assert dict(lake.rows(ORDER_LINES, "order_id", "refined_batch"))["W-9"] == 3


@pytest.mark.slow
def test_one_table_is_rewritten_with_those_of_the_same_records(lake: LakeState) -> None:
    lake.land(*two_days())
    lake.refine()
    spoil(lake, ORDER_LINES, "true", {"line_amount": "1"})
    spoil(lake, CUSTOMER_CONTACTS, "true", {"name": "'Eve'"})
    spoil(lake, DUPLICATES, "true", None)
    assert run(lake, ALL, CUSTOMERS) == {CUSTOMER_CONTACTS.name: 2}
    assert run(lake, ALL, DUPLICATES) == {DUPLICATES.name: 2, ORDER_LINES.name: 4}
    with pytest.raises(LakeError, match=r"Silver has no table 'silver\.orders'"):
        rebuild.scope_of("silver.orders")


@pytest.mark.slow
def test_refused_records_that_a_mended_rule_accepts_are_marked_and_keep_the_mark(
    lake: LakeState, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake.land(
        web_order(0, event_id="a", order_id="W-A", currency="EUR"),
        web_order(1, event_id="b", order_id="W-B", currency="USD"),
    )
    lake.refine()
    refused = lake.rows(QUARANTINE)
    with monkeypatch.context() as mended:
        trade_in(mended, "GBP", "EUR")
        day = Days(date(2011, 12, 10), date(2011, 12, 10))
        assert run(lake, day) == {QUARANTINE.name: 1, ORDER_LINES.name: 1}
        marked = lake.rows(QUARANTINE, "offset", "reason", "replayed_at", "refined_batch")
        assert isinstance(marked[0][2], datetime)
        assert [(row[0], row[1], row[3]) for row in marked] == [
            (0, "unknown_currency", 2),
            (1, "unknown_currency", 1),
        ]
        assert run(lake, ALL) == {}
    # The old rule again: the record leaves silver, and its mark goes.
    assert run(lake, day) == {QUARANTINE.name: 1, ORDER_LINES.name: 1}
    numberless = [row[:-1] for row in lake.rows(QUARANTINE)]
    assert numberless == [row[:-1] for row in refused]
    assert lake.rows(ORDER_LINES) == []


@pytest.mark.slow
def test_refusals_are_recomputed_by_their_day_and_undated_ones_with_everything(
    lake: LakeState,
) -> None:
    lake.land(
        erp(0, Quantity="six", InvoiceDate="7/1/2011 9:00"),
        erp(1, Quantity="six", InvoiceDate="7/2/2011 9:00"),
        erp(2, InvoiceDate="yesterday"),
        Record(dead_letter_topic(WEB), b"{}", 0),
    )
    lake.refine()
    sound = unnumbered(lake, QUARANTINE)
    spoil(lake, QUARANTINE, "true", {"detail": "'spoilt'"})
    assert run(lake, Days(date(2011, 7, 2), date(2011, 7, 2))) == {QUARANTINE.name: 1}
    assert lake.rows(QUARANTINE, "topic", "offset", where="detail = 'spoilt'") == [
        *((ERP, 0), (ERP, 2), (dead_letter_topic(WEB), 0)),
    ]
    assert run(lake, ALL) == {QUARANTINE.name: 3}
    assert unnumbered(lake, QUARANTINE) == sound


@pytest.mark.slow
def test_days_that_would_double_a_fact_of_other_days_are_refused(
    lake: LakeState, monkeypatch: pytest.MonkeyPatch
) -> None:
    early, late = "2011-12-05T08:00:00Z", "2011-12-06T08:00:00Z"
    lake.land(web_order(0, currency="EUR", occurred_at=late), web_order(1, occurred_at=early))
    lake.refine()
    before = silver(lake)
    trade_in(monkeypatch, "GBP", "EUR")
    with pytest.raises(LakeError, match=r"^1 records .* 2011-12-05 to 2011-12-05"):
        run(lake, Days(date(2011, 12, 6), date(2011, 12, 6)))
    assert silver(lake) == before
    assert unfinished(lake.settings) == []
    both = Days(date(2011, 12, 5), date(2011, 12, 6))
    assert run(lake, both) == {QUARANTINE.name: 2, ORDER_LINES.name: 1}
    assert lake.rows(ORDER_LINES, "source_offset") == [(0,)]
    assert lake.rows(QUARANTINE, "offset", "detail", where="replayed_at is null") == [
        (1, f"lost to {WEB}/0/0")
    ]


@pytest.mark.slow
def test_a_backfill_that_was_cut_short_is_finished_by_the_next_run(
    lake: LakeState, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake.land(*two_days())
    lake.refine()
    sound = {table: unnumbered(lake, table) for table in SILVER}
    spoil(lake, ORDER_LINES, "true", {"line_amount": "1"})
    spoil(lake, DUPLICATES, "true", None)
    real = rewriter.replace_rows

    def write_and_die(rows: Any, table: Table, **options: Any) -> None:
        real(rows, table, **options)
        raise RuntimeError("killed")

    second = Days(date(2011, 7, 2), date(2011, 7, 2))
    for run_id, days in (("some-days", second), ("all-days", ALL)):
        with monkeypatch.context() as patched:
            patched.setattr(rewriter, "replace_rows", write_and_die)
            with pytest.raises(RuntimeError, match="killed"):
                run(lake, days, run_id=run_id)
    assert [line["id"] for line in unfinished(lake.settings)] == ["some-days", "all-days"]

    finish_cut_short(context(lake, "next"))
    assert unfinished(lake.settings) == []
    assert {table: unnumbered(lake, table) for table in SILVER} == sound
    lines = list(chain.lines("operations", settings=lake.settings))
    assert [(line["kind"], line["id"]) for line in lines] == [
        *(("intent", "some-days"), ("intent", "all-days")),
        *(("done", "some-days"), ("done", "all-days")),
    ]


@pytest.mark.slow
def test_a_wider_backfill_ends_those_that_were_cut_short(lake: LakeState) -> None:
    lake.land(*two_days())
    lake.refine()
    narrow = {**request(Days(date(2011, 7, 2), None), CUSTOMERS), "id": "narrow"}
    chain.write("operations", {"kind": "intent", **narrow}, settings=lake.settings)
    work = context(lake, "wide")
    finish_cut_short(work, request=request(ALL))
    assert [line["id"] for line in unfinished(lake.settings)] == ["narrow"]
    backfill.run(work, request(ALL))
    assert unfinished(lake.settings) == []


def test_a_stream_at_work_keeps_the_backfill_away(lake: LakeState) -> None:
    with (
        hold("query-refine", settings=lake.settings),
        pytest.raises(LakeError, match="working on 'query-refine'"),
    ):
        run(lake, ALL)


@pytest.mark.slow
def test_records_that_refine_has_not_seen_are_placed_once(lake: LakeState) -> None:
    lake.land(*two_days())
    lake.refine()
    lake.land(web_order(5, event_id="new", order_id="W-5"), erp(9), erp(10))
    assert run(lake, ALL) == {ORDER_LINES.name: 2, DUPLICATES.name: 1}
    once = silver(lake)
    lake.refine()
    assert silver(lake) == once


@pytest.mark.slow
def test_a_damaged_table_is_named_with_the_command_that_mends_it(lake: LakeState) -> None:
    lake.land(*two_days())
    lake.refine()
    root = Path(location(ORDER_LINES, settings=lake.settings))
    for path in root.rglob("*.parquet"):
        path.write_bytes(b"")
    with pytest.raises(LakeError, match=r"can't be read or written.*`lake repair TABLE`"):
        run(lake, ALL)
    assert unfinished(lake.settings) == []  # nothing was written: no other run has to wait for it

"""Incremental publishes, through Spark, gate and audit, against full ones."""

from datetime import date
from typing import Any

import pytest

from lakehouse import pointer
from lakehouse.contracts.topics import CATALOG_PRODUCTS, WEB_EVENTS
from lakehouse.stages import StageLog, TreeMeter
from operations.context import Context
from operations.recovery import backfill
from pipelines.gold import incremental
from pipelines.publishing.publish import PublishOutcome, Workers, publish
from pipelines.publishing.rollback import roll_back
from pipelines.silver.days import Days
from tests.gold_files import differences
from tests.lake_state import LakeState, customer, erp, everything, message, web_order

pytestmark = pytest.mark.spark


def published(lake: LakeState, workers: Workers, run_id: str, **options: Any) -> str:
    """Publish; what the stage of gold says after its counts of models and tests."""
    workers.gate._settings = lake.settings
    log = StageLog(TreeMeter())
    publish(
        lake.settings,
        outcome=PublishOutcome(run_id),
        log=log,
        workers=lambda: workers,
        **options,
    )
    note = next(stage.note for stage in log.stages if stage.name == "gold")
    return note.partition(" tests, ")[2] or note


def refined(lake: LakeState, workers: Workers, run_id: str, *records: Any) -> str:
    lake.land(*records)
    lake.refine()
    return published(lake, workers, run_id)


def require_equal_to_a_full_refresh(lake: LakeState, workers: Workers, run_id: str) -> None:
    """The gold in service and one built in full of the same silver hold the same."""
    before = pointer.current_gold(lake.settings)
    note = published(lake, workers, run_id, full_refresh=True)
    assert note == "built in full: asked for"
    assert pointer.in_service(lake.settings).run_id == run_id
    after = pointer.current_gold(lake.settings)
    assert before != after
    assert differences(before, after) == []


@pytest.mark.slow
def test_late_lines_new_winners_names_members_and_a_rollback_give_the_gold_of_a_full_refresh(
    lake: LakeState, workers: Workers
) -> None:
    visit = {"session_id": "s", "visitor_id": "v"}
    assert refined(
        lake, workers, "1", *everything(), web_order(0, {}, partition=1, event_id="beaten")
    ) == ("built in full: nothing is published yet")
    late = erp(4, InvoiceNo="536001", InvoiceDate="11/30/2010 8:26", Quantity="2")
    assert refined(lake, workers, "2", late).endswith("built since 1")
    winner = web_order(*(2, {"quantity": 9}), event_id="beaten", occurred_at="2011-11-02T08:00:00Z")
    assert refined(lake, workers, "3", winner).endswith("built since 2")
    named = [erp(n, InvoiceNo=f"54000{n}", Description="A NEW NAME") for n in (5, 6, 7)]
    moved = customer(2, "customer-2", country="Spain", occurred_at="2011-12-10T08:30:00Z")
    lamp = {"sku": "LAMP", "description": "lamp", "category": "light", "unit_price": "3.00"}
    dearer = message(
        *(CATALOG_PRODUCTS.name, 1),
        event_id="product-2",
        occurred_at="2011-11-01T08:00:00Z",
        status="active",
        **lamp,
    )
    bought = message(WEB_EVENTS.name, 1, event_id="visit-2", event_type="add_to_cart", **visit)
    assert refined(lake, workers, "4", *named, moved, dearer, bought).endswith("built since 3")
    require_equal_to_a_full_refresh(lake, workers, "full-4")

    roll_back(lake.settings, to="3", reason="a test goes back")
    assert published(lake, workers, "5").endswith("built since 3")
    require_equal_to_a_full_refresh(lake, workers, "full-5")


@pytest.mark.slow
def test_days_that_a_backfill_changed_are_built_whatever_days_it_named(
    lake: LakeState, workers: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    refined(lake, workers, "1", *everything(), erp(4, InvoiceNo="536001", Quantity="2"))
    spoil_description(lake)
    lines = {"table": "silver.order_lines"}
    context = Context(lake.settings, StageLog(TreeMeter()), PublishOutcome("b"), _spark=lake.spark)
    days = Days(date(2010, 12, 1), date(2010, 12, 1))
    backfill.run(context, {"operation": "backfill", **days.facts(), **lines})
    assert published(lake, workers, "2").endswith("built since 1")
    require_equal_to_a_full_refresh(lake, workers, "full-2")

    spoil_description(lake)
    backfill.run(context, {"operation": "backfill", **Days().facts(), **lines})
    assert published(lake, workers, "3").endswith("built since full-2")
    monkeypatch.setattr(incremental, "MOST_IN_A_ROW", 0)
    assert published(lake, workers, "4", force=True) == (
        "built in full: the last 1 builds were incremental"
    )


def spoil_description(lake: LakeState) -> None:
    """Change a text of a day's lines as nobody should, for a backfill to correct."""
    from delta.tables import DeltaTable

    from lakehouse.contracts.tables import ORDER_LINES
    from lakehouse.tables import location

    DeltaTable.forPath(lake.spark, location(ORDER_LINES, settings=lake.settings)).update(
        "order_date = date'2010-12-01'", {"description": "'spoilt'"}
    )

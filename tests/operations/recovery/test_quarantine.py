"""T20: a replay after a rule was fixed heals once, also when an earlier one was cut short."""

from decimal import Decimal
from typing import Any

import pytest

from lakehouse.contracts.tables import ORDER_LINES, QUARANTINE
from lakehouse.contracts.topics import WEB_ORDERS
from lakehouse.ledger import chain
from lakehouse.stages import StageLog, TreeMeter
from operations.context import Context
from operations.recovery import quarantine
from operations.recovery.quarantine import refused_records
from pipelines.publishing.publish import PublishOutcome
from tests.lake_state import LakeState, trade_in, web_order

pytestmark = pytest.mark.spark


def replay(lake: LakeState, run_id: str) -> tuple[int, int]:
    log, outcome = StageLog(TreeMeter()), PublishOutcome(run_id)
    context = Context(lake.settings, log, outcome, _spark=lake.spark)
    return quarantine.replay(context, reason="unknown_currency")


def test_a_replay_heals_once_even_after_one_that_was_cut_short(
    lake: LakeState, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake.land(
        web_order(0, event_id="a", order_id="W-A", currency="EUR"),
        web_order(1, event_id="b", order_id="W-B", currency="USD"),
        web_order(2, event_id="c", order_id="W-C"),
    )
    lake.refine()
    assert replay(lake, "too-early") == (0, 2)
    (first, _), (second, _) = (
        text.split("\n")
        for text in refused_records(lake.settings, reason="unknown_currency", limit=9)
    )
    assert first == f"{WEB_ORDERS.name}/0/1  unknown_currency (currency)"
    assert second == f"{WEB_ORDERS.name}/0/0  unknown_currency (currency)"

    trade_in(monkeypatch, "GBP", "EUR")

    def killed(*_: Any, **__: Any) -> None:
        raise RuntimeError("killed before the mark")

    with monkeypatch.context() as cut:
        cut.setattr(quarantine, "merge_rows", killed)
        with pytest.raises(RuntimeError, match="before the mark"):
            replay(lake, "cut-short")
    assert replay(lake, "again") == (1, 1)
    assert replay(lake, "once-more") == (0, 1)

    assert lake.rows(ORDER_LINES, "order_id", "line_amount") == [
        ("W-A", Decimal("5.0000")),
        ("W-C", Decimal("5.0000")),
    ]
    marked = lake.rows(QUARANTINE, "offset", where="replayed_at is not null")
    assert marked == [(0,)]
    assert [place for _, place in sorted(lake.dispositions().items())] == [
        *("accepted", "quarantined", "accepted"),
    ]
    kinds = [line["kind"] for line in chain.lines("operations", settings=lake.settings)]
    assert kinds == ["intent", "done", "intent", "intent", "done", "intent", "done"]

"""Gold equals the oracle to the last decimal: real history, and simulated days of many seeds."""

import ast
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from lakehouse.contracts.kpis import read_kpis
from lakehouse.contracts.topics import ERP_INVOICE_LINES, WEB_ORDERS
from lakehouse.settings import PROJECT_ROOT
from storefront.messages import Message
from tests import oracle
from tests.lake_state import LakeState
from tests.oracle_alerts import ALERTS, compare_alerts
from tests.oracle_experiments import EXPERIMENTS, compare_experiments
from tests.oracle_gold import (
    FIGURES,
    SCREENS,
    compare,
    gold_of,
    mixed_orders,
    of_shop,
    real_messages,
    real_rows,
    simulated,
)
from tests.oracle_mails import MAILS, compare_mails
from tests.oracle_pages import PAGES, compare_pages

OF_THE_SHOP = {"KPI conversion_rate", "KPI cart_abandonment_rate", EXPERIMENTS}
ALL_FIGURES = {
    *FIGURES,
    *SCREENS,
    *PAGES,
    *MAILS,
    ALERTS,
    EXPERIMENTS,
    *(f"KPI {each.name}" for each in read_kpis()),
}


def require_equal(
    path: Path, messages: list[Message], lines: list[oracle.Line], shop: oracle.Visits
) -> None:
    """Every figure of the file is the oracle's, and the other way round; none is empty."""
    verdicts = [
        *compare(path, lines, shop),
        *compare_pages(path, lines, shop, months=False),
        *compare_mails(path, lines, shop, every=4),
        *compare_alerts(path, lines, every=4),
        *compare_experiments(path, messages, lines),
    ]
    assert {each.figure: dict(each.differences) for each in verdicts if each.differences} == {}
    assert [each.figure for each in verdicts if not each.values] == []
    expected = ALL_FIGURES if shop.days else ALL_FIGURES - OF_THE_SHOP
    assert {each.figure for each in verdicts} == expected


def test_the_oracle_imports_nothing_of_the_platform() -> None:
    modules = sorted((PROJECT_ROOT / "tests" / "oracle").glob("*.py"))
    nodes = [node for path in modules for node in ast.walk(ast.parse(path.read_text("utf-8")))]
    found = {node.module for node in nodes if isinstance(node, ast.ImportFrom)}
    found |= {name.name for node in nodes if isinstance(node, ast.Import) for name in node.names}
    own = {f"tests.oracle.{path.stem}" for path in modules}
    standard = {"collections", "collections.abc", "dataclasses", "datetime", "decimal", "zoneinfo"}
    assert found - own <= {*standard, "functools", "json", "math", "statistics"}


@pytest.mark.spark
def test_a_slice_of_real_history_and_simulated_days_equal_the_oracle(
    lake: LakeState, workers: Any
) -> None:
    """Doubled rows, cancellations, adjustments and days on which the clocks change."""
    days = ("2010-12-05", "2011-03-27", "2011-08-12")
    shops = [each for seed in (0, 1) for each in simulated(seed, days=4)]
    lines, shop = of_shop(shops)
    lines += oracle.erp_lines(real_rows(*days))
    mixed, mixed_lines = mixed_orders(0)
    lines += mixed_lines
    kinds = {(line.source, line.kind) for line in lines}
    assert {("erp", "adjustment"), ("erp", "cancellation"), ("web", "cancellation")} <= kinds
    sent = [*real_messages(*days), *shops, *mixed]
    require_equal(gold_of(lake, workers.gold, sent), sent, lines, shop)


@pytest.mark.spark
@pytest.mark.slow
@pytest.mark.parametrize("seed", range(20))
def test_simulated_days_of_twenty_seeds_equal_the_oracle(
    new_lake: Callable[[], LakeState], workers: Any, seed: int
) -> None:
    sent = simulated(seed, days=9)  # movers of mails are against the same weekday before
    sent += [each for each in sent if each.topic == WEB_ORDERS.name][:3]
    lines, shop = of_shop(sent)
    mixed, mixed_lines = mixed_orders(seed)
    sent, lines = [*sent, *mixed], [*lines, *mixed_lines]
    for attribute in ("customer", "country", "day"):
        assert any(
            len({getattr(line, attribute) for line in lines if line.order == order}) > 1
            for order in {line.order for line in mixed_lines}
        )
    assert any(line.kind == "cancellation" for line in lines)
    require_equal(gold_of(new_lake(), workers.gold, sent), sent, lines, shop)


@pytest.mark.spark
@pytest.mark.slow
def test_the_whole_real_history_equals_the_oracle(lake: LakeState, workers: Any) -> None:
    lines = oracle.erp_lines(real_rows())
    sales = [line for line in lines if line.kind == "sale"]
    assert sum((line.amount for line in sales), Decimal(0)) == Decimal("10631048.744")
    messages = real_messages()
    assert {each.topic for each in messages} == {ERP_INVOICE_LINES.name}
    require_equal(gold_of(lake, workers.gold, messages), messages, lines, oracle.visits(()))

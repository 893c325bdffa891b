"""The page Live in a real browser: from the topic over the socket to the tiles, and at its end."""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from lakehouse.settings import Settings
from pipelines.live.figures import Figure
from streaming.live_kpis import messages_of
from streaming.live_topic import LiveWriter, newest_version
from tests.dashboards.conftest import serving

pytestmark = [pytest.mark.browser, pytest.mark.kafka]
NOW = datetime(2011, 7, 1, 8, 30, 15, tzinfo=UTC)
ODD = "<script>window.odd = 1</script> 🏝 & 'Sons'"


@pytest.fixture
def live_settings(kafka: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A dashboard on the shared Kafka, and where it is."""
    monkeypatch.setenv("LAKE_KAFKA_BOOTSTRAP", kafka)
    with serving(tmp_path / "state") as shop:
        yield Settings(
            home=shop.settings.home,
            dashboard_port=shop.settings.dashboard_port,
            kafka_bootstrap=kafka,
        )


def figures(revenue: str, orders: int) -> list[Figure]:
    order = {"order_id": ODD, "country": ODD, "ordered_at": "2011-07-01T08:30:00.000Z"}
    steps = [
        {"step": step, "sessions": count} for step, count in (("page_view", 4), ("purchase", 1))
    ]
    return [
        Figure("net_revenue", "today", "GBP", Decimal(revenue)),
        Figure("order_count", "today", "count", Decimal(orders)),
        Figure("average_order_value", "last_minute", "GBP", None),
        Figure("latest_orders", "today", "list", rows=({**order, "quantity": 3, "amount": "5"},)),
        Figure("sales_by_country", "today", "list", rows=()),
        Figure("funnel", "today", "list", rows=tuple(steps)),
    ]


def test_tiles_tick_as_versions_come_and_say_when_no_more_do(
    browser: Any, live_settings: Settings
) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    page.goto(f"http://127.0.0.1:{live_settings.dashboard_port}/live-shop")
    page.get_by_text("Nothing is live yet").wait_for()
    writer, version = LiveWriter(live_settings), newest_version(live_settings)

    def tell(number: int, revenue: str, orders: int) -> None:
        writer.send(messages_of(figures(revenue, orders), {}, now=NOW, version=version + number))

    tell(1, "1234.5050", 1)
    revenue = page.locator('[data-live-figure="today/net_revenue"]')
    revenue.get_by_text("£1,234.51", exact=True).wait_for()
    page.get_by_text("1 Jul 2011, 09:30:15 on the shop's clock").wait_for()
    tell(2, "1300", 2)
    revenue.get_by_text("£1,300.00", exact=True).wait_for()
    tell(1, "99", 9)  # an old version, sent again
    tell(3, "1300", 3)
    page.locator('[data-live-figure="today/order_count"]').get_by_text("3", exact=True).wait_for()
    assert revenue.inner_text() == "£1,300.00"
    assert page.locator('[data-live-figure="last_minute/average_order_value"]').inner_text() == "–"
    orders = page.locator('[data-live-list="today/latest_orders"]')
    assert ODD in orders.inner_text()
    assert page.evaluate("window.odd") is None
    assert "25.0% of visits" in page.locator('[data-live-list="today/funnel"]').inner_text()
    page.get_by_text("No news from the shop.").wait_for(timeout=30_000)
    tell(4, "1400", 4)
    tell(5, "1400", 5)
    page.get_by_text("No news from the shop.").wait_for(state="hidden")
    page.get_by_role("link", name="Data health").click()
    page.get_by_role("heading", name="Data health").wait_for()
    page.get_by_role("link", name="Live", exact=True).click()
    revenue.get_by_text("£1,400.00", exact=True).wait_for()
    writer.close()
    context.close()
    assert complaints == []

"""The pages in a real browser: real figures, filters, themes, a phone's width, live news."""

from decimal import Decimal
from typing import Any

import pytest

pytestmark = pytest.mark.browser
DARK = {"viewport": {"width": 1280, "height": 900}, "color_scheme": "dark"}
PHONE_WIDTH = 390
PHONE = {
    "viewport": {"width": PHONE_WIDTH, "height": 844},
    "color_scheme": "light",
    "has_touch": True,
}
LONG = tuple(
    ("erp", str(n), "sale", f"SKU{n}", f"{n} " + "HANGING HEART " * 6, None, country, day, 1000, n)
    for n, country, day in (
        ("12345.6789", "United Kingdom", "2011-01-03"),
        ("1234.5678", "The Republic of a Very Long Name Indeed, by the Sea", "2011-02-04"),
    )
)
NEWS_WITHIN_MS = 5_000
SHOWN_THEME = "document.documentElement.getAttribute('data-mantine-color-scheme')"
AXIS_COLOUR = "getComputedStyle(document.querySelector('#sales-graph .ytick text')).fill"
TOO_WIDE = """[...document.querySelectorAll('#main *')].filter((each) => {
  const box = each.getBoundingClientRect();
  return box.width > 0 && box.right > window.innerWidth + 1 && !each.closest('.scroll, .for-ears');
}).map((each) => each.outerHTML.slice(0, 80))"""


def test_sales_shows_the_figures_that_sql_gives(visit: Any, server: Any) -> None:
    server.publish("run-1")
    page = visit.open("/sales")
    page.locator("#sales-graph .main-svg").first.wait_for()
    with server.gold.reader() as reader:
        gross, cancelled, net = reader.cursor.execute(
            "select sum(gross_amount), sum(cancelled_amount), sum(net_amount) "
            "from gold.fct_daily_sales"
        ).fetchall()[0]
        orders, customers = reader.cursor.execute(
            "select count(*), count(distinct customer_id) from gold.fct_orders where line_count > 0"
        ).fetchall()[0]
    assert (gross, cancelled, net) == (Decimal("843.255"), Decimal(-100), Decimal("743.255"))
    assert (orders, customers) == (6, 3)
    assert visit.kpis() == {
        "net-revenue": "£743.26",
        "gross-revenue": "£843.26",
        "cancelled": "−£100.00",
        "orders": "6",
        "average-order-value": "£140.54",
        "customers": "3",
    }
    assert page.title() == "Sales – Cartlake"
    assert "run run-1" in page.locator("#as-of").inner_text()
    names = page.locator("#products-card .bar-name").all_inner_texts()
    assert names == ["TEA TOWEL", "LANTERN", "MUG"]


def test_executive_leads_from_the_change_to_a_country_a_day_and_a_definition(
    visit: Any, server: Any
) -> None:
    server.publish("run-1")
    page = visit.open("/?from=2011-01-08&to=2011-01-11")
    page.locator("#executive-graph .main-svg").first.wait_for()
    assert "£37 (11.3%) less than 4 Jan 2011" in page.locator("#executive-sentence").inner_text()
    assert visit.kpis()["net-revenue"] == "£288.25"
    page.get_by_role("button", name="About Net revenue").click()
    page.get_by_text("Gross revenue and cancelled amount together.").wait_for()
    page.keyboard.press("Escape")
    page.get_by_role("link", name="France").click()
    visit.wait_for_net("£25.50")
    page.wait_for_url("**/?from=2011-01-08&to=2011-01-11&country=France")
    page.go_back()
    visit.wait_for_net("£288.25")
    page.wait_for_function(
        "Math.abs(document.querySelector('#executive-graph .js-plotly-plot').data[0].y"
        ".reduce((sum, each) => sum + each) - 288.25) < 0.001"
    )
    bar = page.locator("#executive-graph .bars .point path").last
    bar.hover(force=True)
    page.locator("#executive-graph .hoverlayer .hovertext").wait_for()
    bar.click(force=True)
    visit.wait_for_net("£25.50")
    assert "from=2011-01-11&to=2011-01-11" in page.url


def test_data_health_shows_the_last_run(visit: Any, server: Any) -> None:
    server.publish("run-1")
    server.report()
    page = visit.open()
    page.get_by_role("link", name="Data health").click()
    page.get_by_role("heading", name="Last run").wait_for()
    assert page.title() == "Data health – Cartlake"
    assert page.url.endswith("/data-health")
    assert "1,234,567.8900" in page.locator("#reconciliation-card").inner_text()
    assert "The invoice date does not exist" in page.locator("#quarantine-card").inner_text()
    assert "1 warning" in page.locator("#quality-card").inner_text()
    assert page.locator("#stages-card tbody tr").count() == 2


def test_filters_change_the_cards_and_live_in_the_address(visit: Any, server: Any) -> None:
    server.publish("run-1")
    page = visit.open("/sales")
    visit.wait_for_net("£743.26")
    page.get_by_text("7D", exact=True).click()
    visit.wait_for_net("£213.25")
    page.get_by_role("textbox", name="Countries").fill("Ger")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    visit.wait_for_net("£25.00")
    page.keyboard.press("Escape")
    page.get_by_role("link", name="Data health").click()
    page.get_by_role("link", name="Sales", exact=True).click()
    visit.wait_for_net("£25.00")
    assert page.url.endswith("/sales?period=7&country=Germany")
    page.reload()
    visit.wait_for_net("£25.00")
    assert "5 Jan 2011 – 11 Jan 2011 · Germany" in page.locator("#sales-scope").inner_text()
    page.get_by_text("All", exact=True).click()
    page.wait_for_url("**/sales?country=Germany")
    page.go_back()
    page.locator("#preset label[data-active]", has_text="7D").wait_for()


def test_a_range_of_ones_own_is_chosen_in_the_calendar(visit: Any, server: Any) -> None:
    server.publish("run-1")
    page = visit.open("/sales")
    visit.wait_for_net("£743.26")
    page.locator("#days").click()
    page.get_by_role("button", name="4 January 2011", exact=True).click()
    page.get_by_role("button", name="5 January 2011", exact=True).click()
    visit.wait_for_net("£325.00")
    page.get_by_text("All", exact=True).click()
    visit.wait_for_net("£743.26")


def test_the_theme_switches_everything_and_is_remembered(visit: Any, server: Any) -> None:
    server.publish("run-1")
    page = visit.open("/sales")
    page.locator("#sales-graph .ytick").first.wait_for()
    light = (page.evaluate(SHOWN_THEME), page.evaluate(AXIS_COLOUR))
    page.get_by_role("button", name="Switch between light and dark").click()
    page.wait_for_function(f"{AXIS_COLOUR} !== {light[1]!r}")
    dark = (page.evaluate(SHOWN_THEME), page.evaluate(AXIS_COLOUR))
    page.reload()
    page.locator("#sales-graph .ytick").first.wait_for()
    again = (page.evaluate(SHOWN_THEME), page.evaluate(AXIS_COLOUR))
    assert light == ("light", "rgb(86, 101, 115)")
    assert dark == again == ("dark", "rgb(154, 171, 186)")


@pytest.mark.parametrize("visit", [DARK], indirect=True)
def test_a_dark_system_gets_a_dark_page_at_once(visit: Any, server: Any) -> None:
    server.publish("run-1")
    page = visit.open("/sales")
    page.locator("#sales-graph .ytick").first.wait_for()
    assert page.evaluate(SHOWN_THEME) == "dark"
    assert page.evaluate(AXIS_COLOUR) == "rgb(154, 171, 186)"
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(14, 21, 27)"


@pytest.mark.parametrize("visit", [PHONE], indirect=True)
def test_a_phone_shows_two_cards_a_row_and_never_scrolls_sideways(visit: Any, server: Any) -> None:
    server.publish("run-1", lines=LONG)
    server.report()
    page = visit.open("/sales")
    page.locator("#sales-graph .main-svg").first.wait_for()
    tops = [card.bounding_box()["y"] for card in page.locator("[data-kpi]").all()]
    assert [tops.count(top) for top in sorted(set(tops))] == [2, 2, 2]
    assert page.evaluate(TOO_WIDE) == []
    page.get_by_role("button", name="Menu").click()
    page.get_by_role("link", name="Data health").click()
    page.get_by_role("heading", name="Stages").wait_for()
    assert page.evaluate(TOO_WIDE) == []
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE_WIDTH


def test_a_publish_shows_while_the_page_is_open(visit: Any, server: Any) -> None:
    page = visit.open("/sales")
    page.get_by_role("heading", name="No figures yet").wait_for()
    assert "./lake demo" in page.locator("#sales-notice").inner_text()
    server.publish("run-1")
    visit.wait_for_net("£743.26", timeout=NEWS_WITHIN_MS)
    one_pound = ("erp", "1", "sale", "A1", "TEA", "10", "Germany", "2011-02-01", 1, "1.0000")
    server.publish("run-2", lines=(one_pound,))
    visit.wait_for_net("£1.00", timeout=NEWS_WITHIN_MS)
    assert "run run-2" in page.locator("#as-of").inner_text()
    assert "1 Feb 2011" in page.locator("#sales-scope").inner_text()


def test_a_failed_run_keeps_the_figures_and_says_so(visit: Any, server: Any) -> None:
    server.publish("run-1")
    page = visit.open("/sales")
    visit.wait_for_net("£743.26")
    server.report(run_id="run-2", verdict="failed", message="The gate found 1 failure.")
    banner = page.locator("#as-of [role=alert]")
    banner.wait_for(timeout=NEWS_WITHIN_MS)
    assert "figures stay those of run run-1" in banner.inner_text()
    assert visit.kpis()["net-revenue"] == "£743.26"
    banner.get_by_role("link").click()
    page.locator("#last-run-card .badge-bad").wait_for()


def test_before_the_first_run_data_health_says_how_to_fill_it(visit: Any, server: Any) -> None:
    page = visit.open("/data-health")
    page.get_by_role("heading", name="No run yet").wait_for()
    assert "./lake demo" in page.locator("#health-body").inner_text()
    server.report()
    page.get_by_role("heading", name="Last run").wait_for(timeout=NEWS_WITHIN_MS)


def test_an_unknown_address_leads_back(visit: Any) -> None:
    page = visit.open("/somewhere")
    page.get_by_role("heading", name="No such page").wait_for()
    page.get_by_role("link", name="Go to the first page").click()
    page.get_by_role("heading", name="Executive", level=1).wait_for()


def test_the_keyboard_reaches_the_filters(visit: Any, server: Any) -> None:
    server.publish("run-1")
    page = visit.open("/sales")
    visit.wait_for_net("£743.26")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.innerText") == "Skip to the figures"
    page.get_by_role("radio", name="All").focus()
    page.keyboard.press("ArrowLeft")
    page.locator("#preset label[data-active]", has_text="1Y").wait_for()

"""The page of verdicts: complete, ordered by urgency, escaped, and without any other resource."""

import json
from html.parser import HTMLParser
from pathlib import Path

import pytest

from lakehouse.contracts.tables import ORDER_LINES, PRODUCTS
from quality.gate.report import PAGE, render, store_results, write_report
from quality.gate.verdicts import GateResult, QualityRow
from tests.phone import on_a_phone


def verdict(rule: str, **changes: str) -> QualityRow:
    row: QualityRow = {
        "rule": rule,
        "suite": changes.get("suite", "order_lines: contract"),
        "table": ORDER_LINES.name,
        "expectation": "expect_column_values_to_not_be_null",
        "column": changes.get("column", "sku"),
        "severity": "warn" if changes.get("severity") == "warn" else "block",
        "status": changes.get("status", "passed"),
        "success": changes.get("status", "passed") == "passed",
        "observed": changes.get("observed", "0 of 5 rows"),
        "detail": changes.get("detail", ""),
        "meaning": changes.get("meaning", "It holds."),
    }
    return row


RESULT = GateResult(
    results=(
        verdict("holds"),
        verdict("warns", severity="warn", status="failed", observed="1 of 5 rows"),
        verdict(
            "blocks",
            suite="products: business",
            column="",
            status="failed",
            observed="2 of 5 rows",
            detail="currency <script>alert('x')</script> & \"y\"",
            meaning="Prices are in <b>pounds</b>.",
        ),
        verdict("breaks", severity="warn", status="error", observed="not judged"),
    ),
    rows={ORDER_LINES.name: 541_909, PRODUCTS.name: 0},
    seconds=2.345,
    table_versions={ORDER_LINES.name: 7},
    since_batch=3,
    judged_at="2011-12-10T06:00:00+00:00",
)


class Page(HTMLParser):
    """Collects what a reader sees: texts, table cells by row, tags with their attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.rows: list[list[str]] = []
        self.texts: list[str] = []
        self._cell = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag == "tr":
            self.rows.append([])
        if tag == "td":
            self.rows[-1].append("")
        self._cell = tag == "td" or (self._cell and tag == "small")

    def handle_endtag(self, tag: str) -> None:
        self._cell = self._cell and tag != "td"

    def handle_data(self, data: str) -> None:
        self.texts.append(data)
        if self._cell:
            gap = " | " if self.rows[-1][-1] else ""
            self.rows[-1][-1] += gap + data


WARNS = ["failed", "It holds. | warns | silver.order_lines.sku", "warn", "1 of 5 rows", ""]
BREAKS = ["error", "It holds. | breaks | silver.order_lines.sku", "warn", "not judged", ""]
HOLDS = ["passed", "It holds. | holds | silver.order_lines.sku", "block", "0 of 5 rows", ""]
BLOCKS = [
    "failed",
    "Prices are in <b>pounds</b>. | blocks | silver.order_lines",
    "block",
    "2 of 5 rows",
    "currency <script>alert('x')</script> & \"y\"",
]


def test_the_page_shows_failures_first_and_then_every_rule_by_suite() -> None:
    page = Page(render(RESULT))
    assert [row for row in page.rows if row] == [
        *(BLOCKS, BREAKS, WARNS),
        *(BREAKS, WARNS, HOLDS),
        BLOCKS,
    ]
    assert page.texts.count("Gold waits.") == 1
    assert "4 rules: 2 blocking, 1 warning." in page.texts
    assert (
        "Judged rows after batch 3 in 2.3 seconds at 2011-12-10T06:00:00+00:00: "
        "541,909 of silver.order_lines." in page.texts
    )
    assert "order_lines: contract: 3 rules, 2 failed" in page.texts
    assert "products: business: 1 rule, 1 failed" in page.texts


def test_values_from_the_data_are_escaped() -> None:
    text = render(RESULT)
    page = Page(text)
    assert {"script", "b"}.isdisjoint(tag for tag, _ in page.tags)
    assert "<script" not in text
    assert "&lt;script&gt;alert(&#x27;x&#x27;)&lt;/script&gt; &amp; &quot;y&quot;" in text


def test_the_page_asks_for_nothing_else_and_fits_phones_and_the_dark() -> None:
    text = render(RESULT)
    page = Page(text)
    addresses = {"src", "href", "action", "data", "srcset", "background"}
    assert [tag for tag, attributes in page.tags if addresses & set(attributes)] == []
    assert [mark for mark in ("url(", "@import", "http:", "https:", "//") if mark in text] == []
    assert ("meta", {"name": "viewport", "content": "width=device-width, initial-scale=1"}) in (
        page.tags
    )
    assert "prefers-color-scheme: dark" in text


def test_a_clean_result_says_so_and_has_no_list_of_failures() -> None:
    page = Page(render(GateResult(RESULT.results[:1], {}, 0.1)))
    assert [row for row in page.rows if row] == [HOLDS]
    assert "What failed" not in page.texts
    assert "Gold may be built." in page.texts
    assert "Judged every row in 0.1 seconds: no new rows." in page.texts


def test_the_file_is_replaced_whole_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "reports" / "quality.html"
    write_report(GateResult((), {}, 0.1), path)
    write_report(RESULT, path)
    assert path.read_text(encoding="utf-8") == render(RESULT)
    assert [each.name for each in path.parent.iterdir()] == ["quality.html"]


def test_results_are_kept_by_run_and_the_page_shows_the_last(tmp_path: Path) -> None:
    first = GateResult((), {}, 0.1)
    store_results(first, run_id="a", folder=tmp_path)
    assert store_results(RESULT, run_id="b", folder=tmp_path) == tmp_path / PAGE
    assert (tmp_path / PAGE).read_text(encoding="utf-8") == render(RESULT)
    kept = {
        each.name: GateResult.from_json(json.loads(each.read_text(encoding="utf-8")))
        for each in tmp_path.glob("*.json")
    }
    assert kept == {"quality-a.json": first, "quality-b.json": RESULT}


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_without_network_shows_the_page_without_scrolling_sideways(
    scheme: str, tmp_path: Path
) -> None:
    path = tmp_path / "quality.html"
    write_report(RESULT, path)
    asked, width, paper = on_a_phone(path, scheme=scheme)
    assert asked == [path.as_uri()]
    assert width <= 375
    assert paper == {"light": "rgb(255, 255, 255)", "dark": "rgb(20, 24, 31)"}[scheme]

"""Files of the page Executive: every row of every table, exact, escaped, and no formula."""

import csv
import io
import re
import zlib
from datetime import date
from decimal import Decimal
from html.parser import HTMLParser
from typing import Any

import pytest

from dashboards.exports.csv_file import csv_file
from dashboards.exports.document import Document, Table, Tile
from dashboards.exports.html_file import html_file
from dashboards.exports.pdf_file import pdf_file
from dashboards.exports.routes import _answer
from dashboards.periods import BadFilter

D = Decimal


def table(rows: int) -> Table:
    return Table(
        "product",
        "Products",
        ["Product", "Name", "Net revenue"],
        ["text", "text", "GBP"],
        [(f"SKU{n}", f"Namé № {n}", D(n) / 4) for n in range(rows)],
    )


def a_document(*tables: Table, sentence: str = "More was sold.") -> Document:
    tile = Tile("Net revenue", "£1", "£2", "target £3")
    bars = [("Mon", D(5)), ("Tue", D(-1))]
    return Document("Executive", "1 Jan 2011", "now", sentence, [tile] * 6, bars, tables)


def texts_in(pdf: bytes) -> int:
    """How many texts all pages show."""
    streams = re.findall(rb"stream\n(.*?)\nendstream", pdf, re.DOTALL)
    count = 0
    for stream in streams:
        try:
            count += len(re.findall(rb"\bT[jJ]\b", zlib.decompress(stream)))
        except zlib.error:
            continue  # fonts are streams, too
    return count


class Rows(HTMLParser):
    """Texts of all cells, row by row."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.cell = ""
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: Any) -> None:  # noqa: ARG002 - the parser's own
        self.tags.add(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.cell = ""

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th"):
            self.rows[-1].append(self.cell)

    def handle_data(self, data: str) -> None:
        self.cell += data


def test_csv_holds_each_row_exactly_and_no_formula() -> None:
    odd = [("=1+1", "@cmd", D("-3.0001")), ("a,b", 'say "x"\nnow', D("0")), ("", None, D("1e3"))]
    content = csv_file(Table("t", "T", ["Code", "Name", "Pounds"], ["text", "text", "GBP"], odd))
    assert content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    assert rows == [
        ["Code", "Name", "Pounds"],
        ["'=1+1", "'@cmd", "-3.0001"],
        ["a,b", 'say "x"\nnow', "0"],
        ["", "", "1E+3"],
    ]


def test_html_holds_each_row_of_each_table_and_names_no_other_server() -> None:
    page = html_file(a_document(table(500), table(3)))
    found = Rows()
    found.feed(page)
    assert len(found.rows) == 1 + 500 + 1 + 3
    assert found.rows[500] == ["SKU499", "Namé № 499", "£124.75"]
    assert not found.tags & {"script", "link", "img", "iframe"}
    assert "://" not in page


def test_html_shows_names_as_text() -> None:
    hostile = "<script>alert(1)</script><img src=x onerror=alert(2)>'\"&"
    rows = Table("t", hostile, [hostile], ["text"], [(hostile,)])
    found = Rows()
    found.feed(html_file(a_document(rows, sentence=hostile)))
    assert found.rows == [[hostile], [hostile]]
    assert not found.tags & {"script", "img"}


def test_pdf_holds_each_row_of_each_table() -> None:
    empty, full = pdf_file(a_document(table(0))), pdf_file(a_document(table(300)))
    pages = len(re.findall(rb"/Type /Page\b", full)) - len(re.findall(rb"/Type /Page\b", empty))
    assert pages >= 5
    footer, head = 3, 3  # as of, page, of how many pages
    assert texts_in(full) - texts_in(empty) == 300 * 3 + pages * (footer + head)


def test_pdf_takes_names_of_any_length_and_script() -> None:
    rows = [("x" * 500, "Ελλάδα 🍵 <b>", D(1)), ("", "−", D(-1))]
    content = pdf_file(
        a_document(Table("t", "T", ["Code", "Name", "£"], ["text"] * 2 + [""], rows))
    )
    assert content.startswith(b"%PDF-")


def test_files_are_of_the_gold_in_service_and_of_the_filters(shop: Any) -> None:
    shop.publish("run-1")
    country = _answer("country.csv", shop.gold, "from=2011-01-08&to=2011-01-11")
    rows = list(csv.reader(io.StringIO(bytes(country.body).decode("utf-8-sig"), newline="")))
    assert rows == [
        ["Country", "Name", "Net revenue", "Net revenue before", "Change"],
        ["United Kingdom", "United Kingdom", "262.7500", "300.0000", "-37.2500"],
        ["France", "France", "25.5000", "0.0000", "25.5000"],
        ["Germany", "Germany", "0.0000", "25.0000", "-25.0000"],
    ]
    assert country.headers["content-disposition"] == (
        'attachment; filename="country-2011-01-08-2011-01-11.csv"'
    )
    days = bytes(_answer("key-figures.csv", shop.gold, "").body).decode("utf-8-sig")
    found = list(csv.reader(io.StringIO(days, newline="")))
    assert [row[0] for row in found[1:]] == [date(2011, 1, n).isoformat() for n in range(3, 12)]
    page = bytes(_answer("executive.html", shop.gold, "country=Germany").body).decode()
    assert "£25.00" in page
    assert "run run-1" in page


@pytest.mark.parametrize("file", ["nothing.csv", "executive.exe", "country", "../../etc/passwd"])
def test_an_unknown_file_is_not_there(shop: Any, file: str) -> None:
    shop.publish("run-1")
    assert _answer(file, shop.gold, "").status_code == 404


def test_filters_that_fit_nothing_are_refused(shop: Any) -> None:
    shop.publish("run-1")
    with pytest.raises(BadFilter):
        _answer("country.csv", shop.gold, "country=Atlantis")

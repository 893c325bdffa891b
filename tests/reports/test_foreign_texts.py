"""Names out of the data, whatever is in them: shown as text, run by nothing."""

import csv
import io
from datetime import date
from decimal import Decimal
from html.parser import HTMLParser

import openpyxl
import pytest

from lakehouse.contracts.kpis import kpi
from reports.charts import charts
from reports.figures import Figures, Line, Mover, Point
from reports.foreign_texts import LONGEST_NAME, plain
from reports.health import Health
from reports.html import page
from reports.paper import pdf
from reports.periods import Period
from reports.plain_text import text
from reports.speech import Speech
from reports.wording import Told, tell
from reports.workbook import neutral, workbook

CORPUS = (
    *("=cmd|' /C calc'!A0", "=1+1", "+1+1", "-1+1", "@SUM(A1)", "\t=1+1", "\r=1+1", "\n=1+1"),
    *(" =1+1", "'=1+1", '"=1+1', "\u00a0=1+1", "＝1+1", "＋1", "－1", "＠x", "|x", "%0A=1+1"),
    *('=HYPERLINK("http://x.example","y")', "=IMPORTXML(CONCAT(1),2)", "=DDE(1)", ";=1+1"),
    *("<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "</td></table><h1>x</h1>"),
    *("&lt;b&gt;", "\" onmouseover='x'", "{{ 7*7 }}", "{% raw %}", "${7*7}", "<!-- x", "]]>"),
    *("javascript:alert(1)", "cid:net_revenue", "\u202egnp.exe", "\u2066x\u2069", "a\u200fb"),
    *(
        "שלום",
        "مرحبا",
        "🎁 gift 👩‍👩‍👧",
        "x\x00y\x07z",
        "é" * 300,
        "None",
        "NaN",
        "Bcc: x@y.example",
    ),
)


def figures(names: tuple[str, ...] = CORPUS) -> Figures:
    day = date(2011, 12, 9)
    lines = tuple(
        Line(kpi(name), Decimal("10"), Decimal("5"), None)
        for name in ("net_revenue", "order_count")
    )
    movers = tuple(Mover("product", each, Decimal("1.5"), Decimal(0)) for each in names)
    trend = (Point(day, day, Decimal(1), Decimal(1), True),)
    return Figures(Period("daily", day, day, None, ((day, day),), True), lines, movers, trend)


def told(found: Figures) -> Told:
    health = Health((), 8, 10, 0, 0)
    speech = Speech("en", "Europe/London")
    return tell(found, health, [], None, speech=speech, run_id="r1", published_at=None)


class _Cells(HTMLParser):
    """What a browser shows of each `<bdi>`, and every tag and attribute there is."""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self._inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes.update(name for name, _ in attrs)
        if tag == "bdi":
            self._inside = True
            self.names.append("")

    def handle_endtag(self, tag: str) -> None:
        self._inside = self._inside and tag != "bdi"

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.names[-1] += data


def test_the_corpus_has_forty_texts() -> None:
    assert len(CORPUS) >= 40


def test_html_shows_every_name_as_text_and_has_no_tag_of_theirs() -> None:
    found = page(told(figures()), (), links=[], unsubscribe="mailto:x@y.example")
    clean = page(told(figures(("LAMP",))), (), links=[], unsubscribe="mailto:x@y.example")
    seen, expected = _Cells(), _Cells()
    seen.feed(found)
    expected.feed(clean)
    assert seen.names == [plain(each) for each in CORPUS]
    assert (seen.tags, seen.attributes) == (expected.tags, expected.attributes)


def test_no_cell_of_the_workbook_is_a_formula() -> None:
    found = figures()
    book = openpyxl.load_workbook(io.BytesIO(workbook(found, told(found))))
    cells = [cell for sheet in book.worksheets for row in sheet.iter_rows() for cell in row]
    assert {cell.data_type for cell in cells} <= {"s", "inlineStr", "n", "d"}
    names = [row[0].value for row in book.worksheets[1].iter_rows(min_row=2)]
    assert names == [neutral(plain(each)) for each in CORPUS]
    first = [str(each).lstrip()[:1] for each in names if isinstance(each, str)]
    assert not set(first) & set("=+-@|%＝＋－＠")


@pytest.mark.parametrize("name", CORPUS)
def test_a_neutral_text_is_no_formula_in_a_csv_either(name: str) -> None:
    file = io.StringIO()
    csv.writer(file).writerow([neutral(plain(name))])
    (cell,) = next(csv.reader(io.StringIO(file.getvalue())))
    assert not cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n"))
    assert plain(name) in cell


def test_text_and_paper_take_every_name() -> None:
    found = told(figures())
    lines = text(found, [], links=[], unsubscribe="mailto:x@y.example").splitlines()
    assert all(any(plain(each) in line for line in lines) for each in CORPUS)
    assert pdf(found, []).startswith(b"%PDF-")


def test_a_name_loses_what_can_not_be_seen_and_keeps_its_letters() -> None:
    assert plain("a\u202eb\u2066c\r\nd\x00e") == "abc d e"
    assert plain("שלום") == "שלום"
    assert len(plain("é" * 300)) == LONGEST_NAME


def test_a_chart_of_nothing_is_not_drawn() -> None:
    assert charts(figures(), Speech("en", "Europe/London")) == []

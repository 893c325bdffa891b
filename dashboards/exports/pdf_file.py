"""A document as PDF on A4, with every row of every table and the head of a table on each page.

In: a document. Out: bytes. The font is DejaVu Sans, which matplotlib brings: it knows the letters
of all European names.
"""

from collections.abc import Sequence
from decimal import Decimal
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from dashboards import formats
from dashboards.exports.document import Document, Table, text_of
from lakehouse.errors import LakeError

if TYPE_CHECKING:
    from fpdf import FPDF

_FONT = "DejaVu"
_LINE = 5.2
_MUTED, _INK, _BAR, _RULE = (86, 101, 115), (22, 36, 47), (47, 134, 193), (225, 231, 236)
_BARS_HEIGHT = 42


def pdf_file(document: Document) -> bytes:
    """The whole file."""
    from fpdf import FPDF

    pdf = FPDF(format="A4")
    pdf.footer = lambda: _footer(pdf, document)
    pdf.set_margins(14, 14)
    pdf.set_auto_page_break(auto=True, margin=16)
    folder = _fonts()
    for style, file in (("", "DejaVuSans.ttf"), ("B", "DejaVuSans-Bold.ttf")):
        pdf.add_font(_FONT, style, folder / file)
    pdf.set_title(document.title)
    pdf.set_lang("en")
    pdf.add_page()
    _style(pdf, 20, bold=True)
    pdf.cell(0, 10, document.title, new_x="LMARGIN", new_y="NEXT")
    _style(pdf, 9, muted=True)
    pdf.multi_cell(0, 5, document.scope, align="L", new_x="LMARGIN", new_y="NEXT")
    pdf.ln(2)
    _style(pdf, 11)
    pdf.multi_cell(0, 6, document.sentence, align="L", new_x="LMARGIN", new_y="NEXT")
    _tiles(pdf, document)
    _bars(pdf, document.bars)
    for table in document.tables:
        _table(pdf, table)
    return bytes(pdf.output())


def _footer(pdf: "FPDF", document: Document) -> None:
    pdf.set_y(-12)
    _style(pdf, 8, muted=True)
    pdf.cell(0, 5, f"As of {document.as_of}")
    pdf.set_x(pdf.l_margin)
    pdf.cell(0, 5, f"{pdf.page_no()} / {{nb}}", align="R")


def _fonts() -> Path:
    found = find_spec("matplotlib")
    if found is None or found.origin is None:
        raise LakeError("A PDF needs the fonts of matplotlib: run ./lake doctor.")
    return Path(found.origin).parent / "mpl-data" / "fonts" / "ttf"


def _style(pdf: "FPDF", size: float, *, bold: bool = False, muted: bool = False) -> None:
    pdf.set_font(_FONT, "B" if bold else "", size)
    pdf.set_text_color(*(_MUTED if muted else _INK))


def _tiles(pdf: "FPDF", document: Document) -> None:
    """Three in a row."""
    pdf.ln(4)
    width, top = pdf.epw / 3, pdf.get_y()
    for place, tile in enumerate(document.tiles):
        left, y = pdf.l_margin + place % 3 * width, top + place // 3 * 21
        pdf.set_draw_color(*_RULE)
        pdf.rect(left, y, width - 3, 19, round_corners=True, corner_radius=2)
        before = f"{tile.before} before" if tile.before else ""
        for offset, size, text in (
            (2, 8, tile.label),
            (6.5, 14, tile.value),
            (13, 7.5, ", ".join(filter(None, [before, tile.target]))),
        ):
            _style(pdf, size, bold=size > 10, muted=size < 10)
            pdf.set_xy(left + 2, y + offset)
            pdf.cell(width - 7, 5, _fitting(pdf, text, width - 7))
    pdf.set_xy(pdf.l_margin, top + -(-len(document.tiles) // 3) * 21 + 2)


def _bars(pdf: "FPDF", bars: Sequence[tuple[str, Decimal]]) -> None:
    """Revenue over time; the first table has its figures."""
    _style(pdf, 11, bold=True)
    pdf.cell(0, 8, "Net revenue over time", new_x="LMARGIN", new_y="NEXT")
    high = float(max([Decimal(0), *(value for _, value in bars)]))
    low = float(min([Decimal(0), *(value for _, value in bars)]))
    scale = _BARS_HEIGHT / ((high - low) or 1.0)
    step, top = pdf.epw / max(1, len(bars)), pdf.get_y()
    pdf.set_fill_color(*_BAR)
    for place, (_, value) in enumerate(bars):
        height = abs(float(value)) * scale
        y = top + (high - max(float(value), 0.0)) * scale
        pdf.rect(pdf.l_margin + place * step, y, step * 0.8, height, style="F")
    pdf.set_y(top + _BARS_HEIGHT + 1)
    if bars:
        _style(pdf, 8, muted=True)
        pdf.cell(0, 5, bars[0][0])
        pdf.set_x(pdf.l_margin)
        pdf.cell(0, 5, bars[-1][0], align="R", new_x="LMARGIN", new_y="NEXT")


def _table(pdf: "FPDF", table: Table) -> None:
    pdf.ln(5)
    if pdf.get_y() > pdf.eph - 20:
        pdf.add_page()
    _style(pdf, 11, bold=True)
    pdf.cell(
        0,
        7,
        f"{table.title} ({formats.count(len(table.rows))} rows)",
        new_x="LMARGIN",
        new_y="NEXT",
    )
    widths = _widths(pdf, table)
    _head(pdf, table, widths)
    for row in table.rows:
        if pdf.will_page_break(_LINE):
            pdf.add_page()
            _head(pdf, table, widths)
        for cell, unit, width in zip(row, table.units, widths, strict=True):
            text = text_of(cell, unit)
            text = _fitting(pdf, text, width - 2) if unit == "text" else text
            pdf.cell(width, _LINE, text, border="B", align=_align(unit))
        pdf.ln(_LINE)


def _head(pdf: "FPDF", table: Table, widths: Sequence[float]) -> None:
    _style(pdf, 6.8, bold=True, muted=True)
    pdf.set_draw_color(*_RULE)
    for title, unit, width in zip(table.head, table.units, widths, strict=True):
        pdf.cell(width, _LINE, _fitting(pdf, title, width - 2), border="B", align=_align(unit))
    pdf.ln(_LINE)
    _style(pdf, 7.5)


def _align(unit: str) -> str:
    return "L" if unit in ("text", "date") else "R"


def _widths(pdf: "FPDF", table: Table) -> list[float]:
    """Names get the room that numbers leave."""
    wide = [index for index, title in enumerate(table.head) if title == "Name"] or [0]
    rest = pdf.epw * (0.45 if len(table.head) < 6 else 0.16)
    narrow = (pdf.epw - rest) / max(1, len(table.head) - len(wide))
    return [rest if index in wide else narrow for index in range(len(table.head))]


def _fitting(pdf: "FPDF", text: str, width: float) -> str:
    """The text, cut with an ellipsis where it is wider than its cell."""
    if pdf.get_string_width(text) <= width:
        return text
    while text and pdf.get_string_width(f"{text}…") > width:
        text = text[:-1]
    return f"{text}…"

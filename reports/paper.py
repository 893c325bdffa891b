"""A report as a PDF of A4 pages, to print or to file.

In: its words and charts. Out: the bytes of a PDF. fpdf is imported when one is made; its letters
are those of DejaVu, which matplotlib brings: Latin, Greek, Cyrillic, Hebrew and Arabic.
"""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from reports.charts import Chart
from reports.wording import Told

if TYPE_CHECKING:
    from fpdf import FPDF

_FONT = "DejaVu"
_TONES = {"good": (18, 112, 74), "bad": (179, 38, 30), "plain": (86, 101, 115)}
_CHART_WIDTH = 130
"""In millimetres: both charts and the tables find place on one page."""
_INK, _MUTED = (22, 36, 47), (86, 101, 115)


def pdf(told: Told, charts: Sequence[Chart]) -> bytes:
    """The report on paper."""
    logging.getLogger("fpdf").setLevel(logging.ERROR)  # it tells each letter that a font lacks
    logging.getLogger("fontTools").setLevel(logging.ERROR)
    page = _new(told)
    _text(page, f"Cartlake · {told.title}", size=9, colour=_MUTED)
    _text(page, told.sentence, size=14, style="B")
    if told.corrections:
        _text(page, told.words["corrections"], size=10, style="B")
        for line in told.corrections:
            _text(page, line, size=9)
        _text(page, told.words["corrections_note"], size=8, colour=_MUTED)
    if told.partial:
        _text(page, told.partial, size=9)
    _table(
        page,
        told.headings,
        [
            (
                (row.name, "plain"),
                (row.now, "ink"),
                (_joined(row.before, row.before_change.text), row.before_change.tone),
                (_joined(row.usual, row.usual_change.text), row.usual_change.tone),
            )
            for row in told.rows
        ],
        widths=(31, 19, 25, 25),
    )
    _text(page, told.usual_note, size=8, colour=_MUTED)
    for chart in charts:
        _text(page, chart.title, size=10, style="B")
        page.image(chart.light, w=_CHART_WIDTH, alt_text=chart.alt)
    for kind, moved in told.movers:
        _table(
            page,
            (kind, told.words["now"], told.words["change"]),
            [
                ((each.name, "plain"), (each.now, "ink"), (each.change.text, each.change.tone))
                for each in moved
            ],
            widths=(50, 25, 25),
        )
    if told.movers:
        _text(page, told.movers_note, size=8, colour=_MUTED)
    if told.forecast:
        _table(
            page,
            (told.words["day"], told.words["expected"], told.words["range"]),
            [tuple((cell, "ink") for cell in row) for row in told.forecast],
            widths=(40, 25, 35),
        )
        _text(page, told.forecast_note, size=8, colour=_MUTED)
    _text(page, told.health, size=9)
    _text(page, told.as_of, size=8, colour=_MUTED)
    return bytes(page.output())


def _new(told: Told) -> "FPDF":
    import matplotlib as mpl
    from fpdf import FPDF

    fonts = Path(mpl.get_data_path()) / "fonts" / "ttf"
    page = FPDF(format="A4")
    page.set_title(told.subject)
    page.set_lang(told.language)
    page.add_font(_FONT, "", fonts / "DejaVuSans.ttf")
    page.add_font(_FONT, "B", fonts / "DejaVuSans-Bold.ttf")
    page.set_auto_page_break(auto=True, margin=15)
    page.add_page()
    return page


def _text(
    page: "FPDF",
    text: str,
    *,
    size: float,
    style: str = "",
    colour: tuple[int, int, int] = _INK,
) -> None:
    if text:
        page.set_font(_FONT, style, size)
        page.set_text_color(*colour)
        page.multi_cell(0, text=text, align="L", new_x="LMARGIN", new_y="NEXT")
        page.ln(1.5)


def _table(
    page: "FPDF",
    headings: Sequence[str],
    rows: Sequence[Sequence[tuple[str, str]]],
    *,
    widths: tuple[int, ...],
) -> None:
    from fpdf.fonts import FontFace

    page.set_font(_FONT, "", 8.5)
    page.set_text_color(*_INK)
    aligns = ("LEFT", *("RIGHT" for _ in headings[1:]))
    with page.table(
        col_widths=widths,
        text_align=aligns,
        borders_layout="HORIZONTAL_LINES",
        line_height=5,
        headings_style=FontFace(emphasis="BOLD", color=_MUTED),
    ) as table:
        table.row(headings)
        for row in rows:
            line = table.row()
            for text, tone in row:
                line.cell(
                    text,
                    style=FontFace(color=_TONES.get(tone, _INK))
                    if tone in ("good", "bad")
                    else None,
                )
    page.ln(1.5)


def _joined(value: str, change: str) -> str:
    return f"{value} ({change})" if change else value

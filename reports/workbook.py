"""A report's figures as a workbook: exact numbers, and texts that no program takes for formulas.

In: figures and their words. Out: the bytes of an xlsx. openpyxl is imported when one is made.
"""

import io
from collections.abc import Iterable
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from lakehouse.shop_format import currency_sign
from reports.figures import Figures
from reports.foreign_texts import plain
from reports.languages import kpi_name
from reports.speech import rounded
from reports.wording import Told

if TYPE_CHECKING:
    from openpyxl.worksheet.worksheet import Worksheet

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%", "＝", "＋", "－", "＠")
_FORMATS = {"count": "#,##0", "rate": "0.00%"}


def _format(unit: str) -> str:
    """How a sheet shows a number of this unit."""
    if unit == "money":
        return f'"{currency_sign()}"#,##0.00'
    return _FORMATS.get(unit, "#,##0.00##")


def neutral(text: str) -> str:
    """A text that stays one in a workbook or a csv: one that a program would run gets a quote.

    Source: OWASP, CSV Injection.
    """
    return f"'{text}" if text.lstrip(" \u00a0'\"").startswith(_FORMULA) else text


def workbook(figures: Figures, told: Told) -> bytes:
    """Sheets of KPIs, movers, the trend and where the figures come from."""
    from openpyxl import Workbook

    book = Workbook()
    kpis = book.active
    kpis.title = neutral(told.title)[:31]
    _rows(kpis, [told.headings])
    for line in figures.lines:
        values = (line.now, line.before, line.usual)
        _rows(kpis, [(plain(kpi_name(line.kpi, told.language)), *values)], unit=line.kpi.unit)
    movers = book.create_sheet(told.words["movers"][:31])
    _rows(movers, [("", told.words["now"], told.words["average"], told.words["change"])])
    _rows(
        movers,
        [(plain(each.name), each.now, each.usual, each.change) for each in figures.movers],
        unit="money",
    )
    trend = book.create_sheet(told.words["charts"][:31])
    names = [
        kpi_name(figures.line(each).kpi, told.language) for each in ("net_revenue", "order_count")
    ]
    _rows(trend, [(told.words["day"], *names)])
    for each in figures.trend:
        _rows(trend, [(each.start, each.net_revenue, each.order_count)])
    about = book.create_sheet(told.words["health"][:31])
    _rows(about, [(each,) for each in (told.subject, told.sentence, told.health, told.as_of)])
    for sheet in book.worksheets:
        sheet.column_dimensions["A"].width = 34
        for column in "BCD":
            sheet.column_dimensions[column].width = 18
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def _rows(sheet: "Worksheet", rows: Iterable[Iterable[Any]], *, unit: str = "") -> None:
    for row in rows:
        number = sheet.max_row + (1 if sheet["A1"].value is not None or sheet.max_row > 1 else 0)
        for column, value in enumerate(row, start=1):
            cell = sheet.cell(number, column)
            if isinstance(value, str):
                cell.value = neutral(value)
                cell.data_type = "s"
            elif isinstance(value, Decimal):
                cell.value = rounded(value, 4)
                cell.number_format = _format(unit)
            elif value is not None:
                cell.value = value
                cell.number_format = "yyyy-mm-dd"

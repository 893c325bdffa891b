"""A table as csv, with exact values: in UTF-8 with a mark, so that spreadsheets read it as such.

In: a table. Out: bytes. A text that a spreadsheet would take for a formula gets a `'` before it.
"""

import csv
import io

from dashboards.exports.document import Cell, Table

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def csv_file(table: Table) -> bytes:
    """The table with its head; lines end as RFC 4180 has them."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(table.head)
    writer.writerows([[_plain(cell) for cell in row] for row in table.rows])
    return text.getvalue().encode("utf-8-sig")


def _plain(cell: Cell) -> str:
    text = "" if cell is None else str(cell)
    return f"'{text}" if isinstance(cell, str) and text.startswith(_FORMULA) else text

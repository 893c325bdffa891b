"""A document as one HTML file that needs no network and no script.

In: a document. Out: a page as text; every value in it is escaped.
"""

from collections.abc import Sequence
from decimal import Decimal
from html import escape

from dashboards import formats
from dashboards.exports.document import Document, Table, text_of
from lakehouse.html_page import offline_page

_WIDTH, _HEIGHT = 960, 220
_STYLE = """
:root{color-scheme:light dark}
:root{--ink:#16242f;--muted:#566573;--line:#e1e7ec;--bar:#2f86c1;--page:#fff}
@media (prefers-color-scheme:dark){
:root{--ink:#e4ecf2;--muted:#9aabba;--line:#27333d;--page:#0e151b}
}
body{font:16px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--page);margin:0}
main{max-width:1080px;margin:auto;padding:24px}
h1{font-size:26px;margin:0}h2{font-size:18px;margin:32px 0 8px}
.muted{color:var(--muted);margin:0 0 12px}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(220px,1fr));gap:12px;margin:16px 0}
.tile{border:1px solid var(--line);border-radius:10px;padding:12px}
.tile b{display:block;font-size:24px}.tile span{color:var(--muted);font-size:14px}
svg{width:100%;height:auto}rect{fill:var(--bar)}
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:14px;font-variant-numeric:tabular-nums}
th,td{text-align:left;padding:5px 12px 5px 0;border-bottom:1px solid var(--line)}
th{color:var(--muted);font-weight:500}.num{text-align:right;white-space:nowrap}
@media print{main{max-width:none;padding:0}tr{break-inside:avoid}thead{display:table-header-group}}
"""


def html_file(document: Document) -> str:
    """The whole page."""
    tiles = "".join(
        f"<div class='tile'><span>{escape(tile.label)}</span><b>{escape(tile.value)}</b>"
        f"<span>{escape(_small(tile.before, tile.target))}</span></div>"
        for tile in document.tiles
    )
    body = (
        f"<p class='muted'>{escape(document.scope)}<br>As of {escape(document.as_of)}</p>"
        f"<p>{escape(document.sentence)}</p><div class='tiles'>{tiles}</div>"
        f"<h2>Net revenue over time</h2>{_bars(document.bars)}"
    )
    return offline_page(
        document.title, style=_STYLE, body=body + "".join(map(_table, document.tables))
    )


def _small(before: str, target: str) -> str:
    return ", ".join(filter(None, [f"{before} before" if before else "", target]))


def _bars(bars: Sequence[tuple[str, Decimal]]) -> str:
    """Bars above and below zero, each with its value as a title."""
    high = max([Decimal(0), *(value for _, value in bars)])
    low = min([Decimal(0), *(value for _, value in bars)])
    scale = Decimal(_HEIGHT) / ((high - low) or 1)
    step = Decimal(_WIDTH) / max(1, len(bars))
    shapes = "".join(
        f"<rect x='{step * place:.2f}' y='{(high - max(value, Decimal(0))) * scale:.2f}' "
        f"width='{step * Decimal('0.8'):.2f}' height='{abs(value) * scale:.2f}'>"
        f"<title>{escape(f'{name}: {formats.money(value)}')}</title></rect>"
        for place, (name, value) in enumerate(bars)
    )
    return (
        f"<svg viewBox='0 0 {_WIDTH} {_HEIGHT}' role='img' aria-label='Net revenue over time; the "
        f"first table has its figures'>{shapes}</svg>"
    )


def _table(table: Table) -> str:
    kinds = ["num" if unit not in ("text", "date") else "" for unit in table.units]
    head = "".join(
        f"<th scope='col' class='{kind}'>{escape(title)}</th>"
        for title, kind in zip(table.head, kinds, strict=True)
    )
    rows = "".join(
        "<tr>"
        + "".join(
            f"<td class='{kind}'>{escape(text_of(cell, unit))}</td>"
            for cell, unit, kind in zip(row, table.units, kinds, strict=True)
        )
        + "</tr>"
        for row in table.rows
    )
    count = formats.count(len(table.rows))
    return (
        f"<h2>{escape(table.title)}</h2><p class='muted'>{count} rows</p><div class='scroll'>"
        f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
    )

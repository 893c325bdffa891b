"""The docs of the data as one page that needs no network: KPIs, lineage, tables, columns, SQL.

In: the contracts, the dbt project as dbt compiles it, and the gold in service where there is one.
Out: one HTML file for light and dark screens and phones. Run standalone: `lake docs`.
"""

from collections.abc import Iterable, Sequence
from html import escape
from itertools import groupby
from pathlib import Path

from governance.catalog.docs_entries import Catalog, Column, Entry, entries, read_catalog
from governance.lineage.columns import describe
from governance.lineage.dbt_manifest import CompiledProject, compiled_project
from governance.lineage.graph import Node, whole_graph
from governance.lineage.picture import picture
from lakehouse.contracts.kpis import Kpi, read_kpis
from lakehouse.files import replace_text
from lakehouse.html_page import offline_page
from lakehouse.settings import Settings

PAGE = "docs.html"
_LINEAGE = "<p class='quiet'>Left to right; a box leads to its table.</p>"
_COLUMN_HEAD = ("column", "type", "meaning", "made of")


def write_docs(path: Path, *, settings: Settings) -> Catalog | None:
    """Write the page; a reader sees the old page or the new one, never half of it.

    Returns: what it tells of the gold in service; None where none was published yet.

    Raises:
        LakeError: dbt can't compile the project, or the gold in service is damaged.
        OSError: The file can't be written.
    """
    catalog = read_catalog(settings)
    replace_text(path, render(compiled_project(settings), catalog))
    return catalog


def render(project: CompiledProject, catalog: Catalog | None) -> str:
    """The page as text; every value is escaped."""
    found = entries(project, catalog)
    names = {each.name for each in found}

    def link(node: Node) -> str | None:
        return f"#{node.table}" if node.table in names else None

    drawn = picture(whole_graph(), title="From the topics to the tiles of the screens", link=link)
    layers = [(layer, list(each)) for layer, each in groupby(found, key=lambda each: each.layer)]
    body = "".join(
        (
            f"<p class='quiet'>{escape(_state(catalog))}</p>",
            _contents(layers),
            f"<h2 id='lineage'>Lineage</h2>{_LINEAGE}<div class='wide' tabindex='0'>{drawn}</div>",
            f"<h2 id='kpis'>KPIs</h2>{_kpis(read_kpis(), project, names)}",
            *(_layer(layer, each, names) for layer, each in layers),
            f"<script>{SCRIPT}</script>",
        )
    )
    return offline_page(
        "Cartlake: the data and where it comes from", style=STYLE, body=body, head=HEAD
    )


def _state(catalog: Catalog | None) -> str:
    if catalog is None:
        return (
            "No gold was published yet: types are those of the contracts, and no rows are counted. "
            "After `lake demo` or `lake run daily`, `lake docs` tells both."
        )
    rows = sum(catalog.rows.values())
    return f"Gold in service: {catalog.file}, {len(catalog.rows)} tables, {rows:,} rows."


def _contents(layers: Iterable[tuple[str, list[Entry]]]) -> str:
    parts = [("lineage", "Lineage"), ("kpis", "KPIs")]
    parts += [(layer, f"{layer.capitalize()} ({len(each)})") for layer, each in layers]
    links = "".join(f"<a href='#{name}'>{escape(label)}</a>" for name, label in parts)
    return f"<nav aria-label='Contents'>{links}</nav><div id='search'></div>"


def _kpis(kpis: Sequence[Kpi], project: CompiledProject, names: set[str]) -> str:
    rows = []
    for each in kpis:
        how = f"{each.measure} / {each.per}" if each.per else each.measure
        made_of = map(describe, project.kpis[each.name])
        rows.append(
            f"<tr><td><code>{escape(each.name)}</code><small>{escape(each.unit)}; "
            f"{escape(each.owner)}</small></td><td>{escape(how)}</td>"
            f"<td>{escape(each.definition)}</td><td>{_links(made_of, names)}</td></tr>"
        )
    return _table(("KPI", "calculation", "meaning", "made of"), rows)


def _layer(layer: str, found: Iterable[Entry], names: set[str]) -> str:
    shown = "".join(_entry(each, names) for each in found)
    return f"<h2 id='{layer}'>{escape(layer.capitalize())}</h2>{shown}"


def _entry(entry: Entry, names: set[str]) -> str:
    rows = "" if entry.rows is None else f"<span class='count'>{entry.rows:,} rows</span>"
    facts = [
        ("Key", escape(", ".join(entry.key))),
        ("Reads", _links(entry.reads, names)),
        ("Read by", _links(entry.read_by, names)),
        ("Tests", escape(", ".join(map(_check, entry.checks)))),
    ]
    listed = "".join(f"<dt>{name}</dt><dd>{value}</dd>" for name, value in facts if value)
    sql = (
        f"<details class='sql'><summary>SQL as compiled</summary><pre>{escape(entry.sql)}</pre>"
        "</details>"
        if entry.sql
        else ""
    )
    columns = _table(_COLUMN_HEAD, [_column(each, names) for each in entry.columns])
    return (
        f"<details class='entry' id='{escape(entry.name)}'><summary><code>{escape(entry.name)}"
        f"</code>{rows}<small>{escape(entry.description)}</small></summary>"
        f"<dl>{listed}</dl>{columns}{sql}</details>"
    )


def _check(name: str) -> str:
    """A test by its name; that of a unit test is a sentence."""
    return name.replace("_", " ") if name.startswith("unit test ") else name


def _column(column: Column, names: set[str]) -> str:
    notes = [column.unit, "may be null" if column.is_nullable else ""]
    note = "; ".join(filter(None, notes))
    return (
        f"<tr><td><code>{escape(column.name)}</code></td><td>{escape(column.type)}"
        f"{f'<small>{escape(note)}</small>' if note else ''}</td>"
        f"<td>{escape(column.meaning)}</td><td>{_links(column.made_of, names)}</td></tr>"
    )


def _links(texts: Iterable[str], names: set[str]) -> str:
    return "".join(f"<span class='item'>{_link(text, names)}</span>" for text in texts)


def _link(text: str, names: set[str]) -> str:
    """A text that names an entry, or something of it, as a link to the entry."""
    plain = text.removeprefix("rows of ").partition(":")[0]
    for name in (plain, plain.rpartition(".")[0]):
        if name in names:
            return f"<a href='#{escape(name)}'>{escape(text)}</a>"
    return escape(text)


def _table(head: Sequence[str], rows: Iterable[str]) -> str:
    heads = "".join(f"<th scope='col'>{escape(each)}</th>" for each in head)
    return f"<table><thead><tr>{heads}</tr></thead><tbody>{''.join(rows)}</tbody></table>"


HEAD = (
    '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
    "style-src 'unsafe-inline'; script-src 'unsafe-inline'\">"
)
"""The browser itself refuses whatever would leave the page."""


STYLE = """
:root { color-scheme: light dark; --ink: #1d2430; --paper: #ffffff; --quiet: #5b6575;
  --line: #d9dee6; --link: #0a5a86; --shade: #f4f6f9; }
@media (prefers-color-scheme: dark) { :root { --ink: #e7ebf2; --paper: #14181f; --quiet: #a3adbd;
  --line: #333c4a; --link: #8ccbe8; --shade: #1c222c; } }
* { box-sizing: border-box; } html { scroll-padding-top: 1rem; }
body { margin: 0 auto; padding: 1.5rem 1rem 4rem; max-width: 84rem; color: var(--ink);
  background: var(--paper); font: 16px/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
a { color: var(--link); } h1 { font-size: 1.5rem; margin: 0; }
h2 { font-size: 1.15rem; margin: 2.2rem 0 .6rem; } p { margin: .4rem 0; }
.quiet, small { color: var(--quiet); } small { font-size: .85rem; display: block; }
nav { display: flex; flex-wrap: wrap; gap: .3rem 1rem; margin: 1rem 0; }
input { width: 100%; max-width: 28rem; padding: .5rem .7rem; font: inherit; color: inherit;
  background: var(--shade); border: 1px solid var(--quiet); border-radius: .4rem; }
.wide { overflow-x: auto; border: 1px solid var(--line); border-radius: .4rem; }
.wide svg { display: block; }
.entry { border-top: 1px solid var(--line); padding: .55rem .5rem; }
.entry:target { background: var(--shade); }
summary { cursor: pointer; } .entry > summary code { font-weight: 600; }
.count { float: right; color: var(--quiet); font-variant-numeric: tabular-nums; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1rem; margin: .8rem 0; }
dt { color: var(--quiet); } dd { margin: 0; }
.item { display: inline-block; margin-right: .9rem; }
table { width: 100%; border-collapse: collapse; margin: .6rem 0; }
th, td { text-align: left; vertical-align: top; padding: .4rem .6rem .4rem 0;
  border-bottom: 1px solid var(--line); }
th { font-size: .85rem; color: var(--quiet); font-weight: 600; }
td:nth-child(1) { width: 20%; } td:nth-child(2) { width: 14%; } td:nth-child(3) { width: 34%; }
pre { overflow-x: auto; padding: .8rem; background: var(--shade); border-radius: .4rem;
  font-size: .85rem; overflow-wrap: normal; }
code, pre { font-family: ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; }
.sql > summary { color: var(--quiet); }
@media (max-width: 44rem) {
  thead { position: absolute; left: -99rem; }
  tr, td, td:nth-child(n) { display: block; width: auto; }
  tr { padding: .5rem 0; border-bottom: 1px solid var(--line); }
  td { border: 0; padding: .1rem 0; } td:empty { display: none; }
  .count { float: none; display: block; } dl { grid-template-columns: 1fr; gap: 0; }
  dd { margin-bottom: .4rem; }
}
"""


SCRIPT = """
const entries = [...document.querySelectorAll('.entry')];
const open = () => {
  const found = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (found && found.matches('.entry')) {
    found.hidden = false;
    found.open = true;
    found.scrollIntoView();
  }
};
addEventListener('hashchange', open);
const box = document.createElement('input');
box.type = 'search';
box.placeholder = 'Find a table, a column or a word';
box.setAttribute('aria-label', box.placeholder);
const texts = entries.map((each) => each.textContent.toLowerCase());
box.addEventListener('input', () => {
  const word = box.value.trim().toLowerCase();
  entries.forEach((each, place) => { each.hidden = !texts[place].includes(word); });
});
document.getElementById('search').append(box);
open();
"""

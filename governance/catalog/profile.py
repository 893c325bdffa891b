"""A page that shows what a table holds: distributions, missing values, outliers, correlations.

In: a table of gold in service or of silver as it is now. Out: one HTML file that asks no other host
for anything: DuckDB's `summarize` as a table, distributions and correlations drawn by Plotly.
Personal columns are left out. Run standalone: `lake profile TABLE`.
"""

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from lakehouse.contracts.gold import DIM_CUSTOMER_CONTACTS, GOLD_TABLES
from lakehouse.contracts.tables import CUSTOMER_CONTACTS, TABLES, Table
from lakehouse.duck import delta_relation, open_gold, open_lake
from lakehouse.errors import LakeError
from lakehouse.files import replace_text
from lakehouse.html_page import offline_page
from lakehouse.settings import Settings
from lakehouse.shop_format import number

if TYPE_CHECKING:
    import duckdb
    import pandas as pd

BARS = 10
_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 70rem; padding: 1rem; }
h1 { font-size: 1.5rem; overflow-wrap: anywhere; } .wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: .85rem; } td, th { padding: .2rem .5rem; }
"""


def write_profile(name: str, *, settings: Settings) -> Path:
    """Write the page `profile-<table>.html` of a table by its contract name; returns its path.

    Raises:
        LakeError: No contract has this name, or the table is not there yet.
    """
    import duckdb

    silver = {table.name: table for table in TABLES}
    if name in GOLD_TABLES:
        with open_gold(settings) as gold:
            hidden = _personal(CUSTOMER_CONTACTS) if name == DIM_CUSTOMER_CONTACTS else ()
            page = profile(gold, name, title=name, left_out=hidden)
    elif name in silver:
        with open_lake(settings) as lake:
            try:
                relation, hidden = delta_relation(settings, name), _personal(silver[name])
                page = profile(lake, relation, title=name, left_out=hidden)
            except duckdb.IOException:
                raise LakeError(f"The lake has no table {name} yet: run ./lake demo.") from None
    else:
        raise LakeError(
            f"There is no table '{name}'. Tables: {', '.join((*silver, *GOLD_TABLES))}."
        )
    path = settings.reports_dir / f"profile-{name}.html"
    replace_text(path, page)
    return path


def profile(
    connection: "duckdb.DuckDBPyConnection",
    relation: str,
    *,
    title: str,
    left_out: Sequence[str] = (),
) -> str:
    """The page of any relation that the connection reads; columns left out are never queried."""
    columns = connection.sql(f"select * from {relation}").columns
    hidden = [each for each in columns if each in left_out]
    kept = ", ".join(f'"{each}"' for each in columns if each not in hidden)
    facts = connection.sql(f"summarize select {kept} from {relation}").df().set_index("column_name")
    numbers = [each for each in facts.index if facts.loc[each, "std"] is not None]
    facts["outliers"] = ""
    figures = {}
    for name in facts.index:
        present, bars = _bars(connection, relation, facts.loc[name])
        if name in numbers:
            facts.loc[name, "outliers"] = str(present - sum(count for _, count in bars))
        if bars:
            figures[name] = bars
    note = f"<p>Left out, for they are personal: {escape(', '.join(hidden))}.</p>" if hidden else ""
    shown = facts.drop(columns="count").astype(object)
    body = (
        f"<p>{number(int(facts['count'].max()))} rows, {len(facts)} columns. Distinct values and "
        "quarters are approximate; outliers lie beyond 1.5 times the middle half and have no "
        "bar.</p>"
        f"{note}<div class='wide'>{shown.where(shown.notna(), '').to_html()}</div>"
        f"{_charts(figures, numbers, _correlations(connection, relation, numbers))}"
    )
    return offline_page(f"Profile of {title}", style=_STYLE, body=body)


def _personal(table: Table) -> tuple[str, ...]:
    return tuple(each.name for each in table.columns if each.personal)


def _bars(
    connection: "duckdb.DuckDBPyConnection", relation: str, facts: "pd.Series[str]"
) -> tuple[int, list[tuple[str, int]]]:
    """Values that are there, and (value or upper end, rows) without outliers; none of a key."""
    own, kind, inside = f'"{facts.name}"', facts["column_type"], "true"
    present = connection.execute(f"select count({own}) from {relation}").fetchall()[0][0]
    if kind == "VARCHAR" and 2 * int(facts["approx_unique"]) > present:
        return present, []
    if facts["std"] is not None:
        low, high = float(facts["q25"]), float(facts["q75"])
        reach = 1.5 * (high - low)
        inside = f"{own} between {low - reach!r} and {high + reach!r}"
    plain = f"{own}::timestamp" if kind.startswith("TIMESTAMP") else own
    connection.execute(
        f"create or replace temp view charted as select {plain} as value from {relation} "
        f"where {own} is not null and {inside}"
    )
    return present, connection.execute(
        f"select bin::varchar, count from histogram_values(charted, value, bin_count := {BARS})"
    ).fetchall()


def _correlations(
    connection: "duckdb.DuckDBPyConnection", relation: str, numbers: Sequence[str]
) -> list[list[float]]:
    """The coefficient of each pair of columns, a row each."""
    if not numbers:
        return []
    pairs = ", ".join(
        f'round(corr("{a}"::double, "{b}"::double), 3)' for a in numbers for b in numbers
    )
    found = connection.execute(f"select {pairs} from {relation}").fetchall()[0]
    return [list(found[n : n + len(numbers)]) for n in range(0, len(found), len(numbers))]


def _charts(
    bars: Mapping[str, Sequence[tuple[str, int]]],
    numbers: Sequence[str],
    correlations: Sequence[Sequence[float]],
) -> str:
    """A bar chart a column, and the correlations; Plotly reads HTML in texts: they are escaped."""
    import plotly.graph_objects as go
    from plotly.subplots import make_subplots

    titles = [escape(each) for each in (*bars, *(["correlations"] if numbers else []))]
    if not titles:
        return ""
    figure = make_subplots(rows=len(titles), cols=1, subplot_titles=titles)
    for row, counted in enumerate(bars.values(), start=1):
        labels = [escape(value[:40]) for value, _ in counted]
        figure.add_trace(go.Bar(x=labels, y=[rows for _, rows in counted]), row=row, col=1)
        figure.update_xaxes(type="category", row=row, col=1)
    if numbers:
        names = [escape(each) for each in numbers]
        heat = go.Heatmap(z=correlations, x=names, y=names, zmin=-1, zmax=1, colorscale="RdBu")
        heat.update(showscale=False, texttemplate="%{z}")
        figure.add_trace(heat, row=len(titles), col=1)
    figure.update_layout(height=280 * len(titles), showlegend=False)
    return str(figure.to_html(include_plotlyjs=True, full_html=False, config={"responsive": True}))

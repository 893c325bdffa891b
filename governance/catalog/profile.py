"""A page that shows what a table holds: distributions, missing values, outliers, correlations.

In: a table of gold in service or of silver as it is now. Out: one HTML file that asks no other host
for anything. Personal columns are left out. Run standalone: `lake profile TABLE`.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING

from lakehouse.contracts.gold import DIM_CUSTOMER_CONTACTS, GOLD_TABLES
from lakehouse.contracts.tables import CUSTOMER_CONTACTS, TABLES, Table
from lakehouse.duck import delta_relation, open_gold, open_lake
from lakehouse.errors import LakeError
from lakehouse.files import replace_text
from lakehouse.html_page import offline_page
from lakehouse.settings import Settings

if TYPE_CHECKING:
    import duckdb

BARS = 10
MOST_FREQUENT = 5
STRONGEST = 15
_NUMBERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "DECIMAL", "DOUBLE", "FLOAT")
_STYLE = """
:root { color-scheme: light dark; } body { font: 16px/1.5 system-ui, sans-serif; margin: 0 auto;
  max-width: 70rem; padding: 1.5rem 1rem; overflow-wrap: anywhere; }
section { border-top: 1px solid #8886; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.1rem; }
table { border-collapse: collapse; } td { padding: .2rem .6rem .2rem 0; }
td.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.bar { background: #4a7ebb; height: .8rem; } td.b { width: min(12rem, 30vw); }
.quiet { opacity: .75; }
"""


@dataclass(frozen=True)
class Column:
    """What one column holds. `bars` are (from, to, rows) or (value, "", rows), most rows first.

    `facts` are texts by name; `outliers` counts values beyond 1.5 times the middle half's width.
    """

    name: str
    type: str
    missing: int
    facts: tuple[tuple[str, str], ...]
    bars: tuple[tuple[str, str, int], ...]
    outliers: int | None


@dataclass(frozen=True)
class Profile:
    """A table's profile; `correlations` are (column, column, coefficient), strongest first."""

    table: str
    rows: int
    columns: tuple[Column, ...]
    left_out: tuple[str, ...]
    correlations: tuple[tuple[str, str, float], ...]


def profile_table(name: str, *, settings: Settings) -> Profile:
    """Profile a table by its contract name.

    Raises:
        LakeError: No contract has this name, or the table is not there yet.
    """
    silver = {table.name: table for table in TABLES}
    if name in GOLD_TABLES:
        with open_gold(settings) as gold:
            hidden = _personal(CUSTOMER_CONTACTS) if name == DIM_CUSTOMER_CONTACTS else ()
            return profile_relation(gold, name, title=name, left_out=hidden)
    if name not in silver:
        raise LakeError(
            f"There is no table '{name}'. Tables: {', '.join((*silver, *GOLD_TABLES))}."
        )
    import duckdb

    hidden = _personal(silver[name])
    with open_lake(settings) as lake:
        try:
            relation = delta_relation(settings, name)
            return profile_relation(lake, relation, title=name, left_out=hidden)
        except duckdb.IOException:
            raise LakeError(f"The lake has no table {name} yet: run ./lake demo.") from None


def profile_relation(
    connection: "duckdb.DuckDBPyConnection",
    relation: str,
    *,
    title: str,
    left_out: Sequence[str] = (),
) -> Profile:
    """Profile any relation that the connection reads; columns left out are never queried."""
    described = connection.execute(f"describe select * from {relation}").fetchall()
    types = {row[0]: row[1] for row in described if row[0] not in left_out}
    rows = connection.execute(f"select count(*) from {relation}").fetchall()[0][0]
    columns = tuple(_column(connection, relation, each, types[each]) for each in types)
    numbers = [each for each in types if types[each].startswith(_NUMBERS)]
    gone = tuple(row[0] for row in described if row[0] in left_out)
    return Profile(title, rows, columns, gone, _correlations(connection, relation, numbers))


def _personal(table: Table) -> tuple[str, ...]:
    return tuple(each.name for each in table.columns if each.personal)


def _column(connection: "duckdb.DuckDBPyConnection", relation: str, name: str, kind: str) -> Column:
    own = f'"{name}"'
    present, missing, distinct, least, most = connection.execute(
        f"select count({own}), count(*) - count({own}), count(distinct {own}), "
        f"min({own})::varchar, max({own})::varchar from {relation}"
    ).fetchall()[0]
    facts = [("distinct", f"{distinct:,}"), ("least", least), ("most", most)]
    outliers: int | None = None
    bars: list[tuple[str, str, int]]
    if kind.startswith(_NUMBERS) and distinct > BARS:
        low, middle, high, bars = _spread(connection, relation, own)
        outliers = present - sum(count for _, _, count in bars)
        facts += [("lower quarter", low), ("median", middle), ("upper quarter", high)]
    elif distinct == present > MOST_FREQUENT:
        bars = []  # a key: no value is more frequent than another
    else:
        bars = connection.execute(
            f"select {own}::varchar, '', count(*) from {relation} where {own} is not null "
            f"group by 1 order by 3 desc, 1 limit {MOST_FREQUENT}"
        ).fetchall()
    shown = tuple((key, str(value)) for key, value in facts if value is not None)
    return Column(name, kind, missing, shown, tuple(bars), outliers)


def _spread(
    connection: "duckdb.DuckDBPyConnection", relation: str, own: str
) -> tuple[str, str, str, list[tuple[str, str, int]]]:
    """Quartiles, and the rows in ten equal steps between the fences; beyond them are outliers."""
    least, low, middle, high, most = (
        value
        for (value,) in connection.execute(
            f"select unnest(quantile_disc({own}, [0, 0.25, 0.5, 0.75, 1]))::double from {relation}"
        ).fetchall()
    )
    reach = 1.5 * (high - low)
    floor, top = max(low - reach, least), min(high + reach, most)
    step = (top - floor) / BARS or 1.0
    counted = dict(
        connection.execute(
            f"select least(floor(({own}::double - ?) / ?)::int, {BARS - 1}), count(*) "
            f"from {relation} where {own} between ? and ? group by 1",
            [floor, step, floor, top],
        ).fetchall()
    )
    bars = [
        (f"{floor + place * step:,.2f}", f"{floor + (place + 1) * step:,.2f}", counted[place])
        for place in range(BARS)
        if place in counted
    ]
    return f"{low:,.4g}", f"{middle:,.4g}", f"{high:,.4g}", bars


def _correlations(
    connection: "duckdb.DuckDBPyConnection", relation: str, numbers: Sequence[str]
) -> tuple[tuple[str, str, float], ...]:
    pairs = list(combinations(numbers, 2))
    if not pairs:
        return ()
    asked = ", ".join(f'corr("{a}"::double, "{b}"::double)' for a, b in pairs)
    found = connection.execute(f"select {asked} from {relation}").fetchall()[0]
    known = [(*pair, value) for pair, value in zip(pairs, found, strict=True) if value is not None]
    correlations = [(a, b, round(value, 3)) for a, b, value in known if not math.isnan(value)]
    return tuple(sorted(correlations, key=lambda each: (-abs(each[2]), each[:2])))[:STRONGEST]


def write_profile(profile: Profile, folder: Path) -> Path:
    """Write the page `profile-<table>.html`; returns its path."""
    path = folder / f"profile-{profile.table}.html"
    replace_text(path, render(profile))
    return path


def render(profile: Profile) -> str:
    """The page as text; every value is escaped."""
    hidden = ", ".join(profile.left_out)
    note = (
        f"<p class='quiet'>Left out, for they are personal: {escape(hidden)}.</p>" if hidden else ""
    )
    strong = "".join(
        f"<tr><td>{escape(a)}</td><td>{escape(b)}</td><td class='n'>{value:.3f}</td></tr>"
        for a, b, value in profile.correlations
    )
    links = f"<section><h2>Correlations</h2><table>{strong}</table></section>" if strong else ""
    size = f"<p>{profile.rows:,} rows, {len(profile.columns)} columns.</p>"
    sections = "".join(_section(each, profile.rows) for each in profile.columns)
    return offline_page(
        f"Profile of {profile.table}", style=_STYLE, body=f"{size}{note}{sections}{links}"
    )


def _section(column: Column, rows: int) -> str:
    share = f" ({100 * column.missing / rows:.1f} %)" if rows else ""
    facts = [("type", column.type), ("missing", f"{column.missing:,}{share}"), *column.facts]
    if column.outliers is not None:
        facts.append(("outliers", f"{column.outliers:,}"))
    shown = "; ".join(f"{name} {value}" for name, value in facts)
    longest = max((count for _, _, count in column.bars), default=1)
    bars = "".join(_bar(each, longest) for each in column.bars)
    name = escape(column.name)
    return f"<section><h2>{name}</h2><p>{escape(shown)}</p><table>{bars}</table></section>"


def _bar(bar: tuple[str, str, int], longest: int) -> str:
    first, last, count = bar
    width = f"{100 * count / longest:.0f}%"
    return (
        f"<tr><td>{escape(f'{first} to {last}' if last else first)}</td>"
        f"<td class='n'>{count:,}</td>"
        f"<td class='b'><div class='bar' style='width:{width}'></div></td></tr>"
    )

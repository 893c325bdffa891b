"""Silver tables -> the small frames that Great Expectations judges, as DuckDB SQL.

In: relations of tables at pinned versions. Out: frames in which one row stands for `records` rows
of the table, so that a thousand rows and fifty million cost the same in pandas. Money is counted in
whole ten-thousandths (columns `_e4`), never as a float. A column of which only absence
matters is carried as true or null, so no name, e-mail or address leaves its table.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from lakehouse.contracts.tables import Table
from lakehouse.shop import shop

SAMPLE_LIMIT = 1000
"""Rows at most in a frame that should be empty."""

_NEW_ROWS = "(select * from {all} where refined_batch > {since} or refined_batch is null)"
_DUCKDB_TYPES = {
    "string": "VARCHAR",
    "int": "INTEGER",
    "bigint": "BIGINT",
    "timestamp": "TIMESTAMP WITH TIME ZONE",
    "binary": "BLOB",
}


@dataclass(frozen=True)
class Frame:
    """One query over a table.

    Its text may name {new} (rows since the last publish), {all} (every row), {since} (the last
    published refine batch), {limit}, {time_zone} (the shop's), the `others` by the second part of
    their name, and its own `parts`, which may name all of these in turn. `unit` is what one record
    is called; `sample` are the columns that lead a person to it.
    """

    name: str
    table: str
    sql: str
    unit: str = "rows"
    sample: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    parts: Mapping[str, str | int] = field(default_factory=dict)


def frame_sql(frame: Frame, relations: Mapping[str, str], *, since_batch: int | None) -> str:
    """The frame's query over the given relations.

    Args:
        frame: What to ask.
        relations: SQL text of a relation by table name.
        since_batch: Newest refine batch that gold already holds; None judges every row.

    Raises:
        KeyError: A table that the frame needs has no relation.
    """
    names = {
        "all": relations[frame.table],
        "since": "-1" if since_batch is None else str(int(since_batch)),
        "limit": str(SAMPLE_LIMIT),
        "time_zone": shop().time_zone,
        **{name.partition(".")[2]: relations[name] for name in frame.others},
    }
    names["new"] = names["all"] if since_batch is None else _NEW_ROWS.format(**names)
    names |= {name: str(part).format(**names) for name, part in frame.parts.items()}
    return frame.sql.format(**names)


_COLUMNS = """
select coalesce(contract.name, lake.column_name) as name,
       coalesce(contract.type, 'no such column') as contract_type,
       coalesce(lake.column_type, 'no such column') as lake_type,
       1::bigint as records
from (values {pairs}) as contract(name, type)
full join (describe select * from {all}) as lake on contract.name = lake.column_name
order by name
"""
_KEYS = """
with crowded as (
    select hash({keys}) as mark from {all} group by mark having count(*) > 1
)
select {keys}, count(*) as copies, 1::bigint as records
from {all}
where hash({keys}) in (select mark from crowded)
group by {keys}
having count(*) > 1
order by {keys}
limit {limit}
"""
_ROWS = """
select {chosen}, count(*) as records, min({offset}) as first_offset
from {new}
group by all
order by all
"""


def columns_frame(table: Table) -> Frame:
    """One row per column of the contract or of the table, with both types."""
    pairs = (
        f"('{column.name}', '{_DUCKDB_TYPES.get(column.type, column.type.upper())}')"
        for column in table.columns
    )
    parts = {"pairs": ", ".join(pairs)}
    return Frame("columns", table.name, _COLUMNS, unit="columns", sample=("name",), parts=parts)


def keys_frame(table: Table) -> Frame:
    """One row per key that occurs more than once in the whole table; it should be empty.

    Eight-byte hashes find the candidates, so that the long keys of a long history fit into memory.
    """
    parts = {"keys": ", ".join(map(_quoted, table.key))}
    sample = (*table.key, "copies")
    return Frame("keys", table.name, _KEYS, unit="repeated keys", sample=sample, parts=parts)


def rows_frame(table: Table, *, values: tuple[str, ...] = (), facts: tuple[str, ...] = ()) -> Frame:
    """New rows grouped by what the rules ask: absence of each column, coded values, facts.

    Args:
        table: Contract of the table.
        values: Columns of few values, carried as they are.
        facts: Further derived columns and aggregates, as SQL.
    """
    topic, partition, offset = "topic", "partition", "offset"
    if "source_topic" in table.column_names():
        topic, partition, offset = "source_topic", "source_partition", "source_offset"
    plain = [*values, topic, partition]
    present = [
        f"nullif({_quoted(column.name)} is not null, false) as {_quoted(column.name)}"
        for column in table.columns
        if not column.nullable and column.name not in plain
    ]
    chosen = ", ".join([*map(_quoted, plain), *present, *facts])
    parts = {"chosen": chosen, "offset": _quoted(offset)}
    sample = (topic, partition, "first_offset")
    return Frame("rows", table.name, _ROWS, sample=sample, parts=parts)


def _quoted(name: str) -> str:
    return f'"{name}"'

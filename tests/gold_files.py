"""Gold files compared: every table, every row, every column.

In: paths of gold files. Out: what differs, as text, empty when they are equal.
"""

from pathlib import Path

import duckdb


def differences(one: Path, other: Path) -> list[str]:
    """Tables of two gold files that hold other columns, comments or rows, with a row of each."""
    found = []
    with duckdb.connect() as gold:
        for name, path in (("one", one), ("other", other)):
            text = str(path).replace("'", "''")
            gold.execute(f"attach '{text}' as {name} (read_only)")
        shapes = {name: _shape(gold, name) for name in ("one", "other")}
        if shapes["one"] != shapes["other"]:
            found.append("tables, columns or comments differ")
        for table in sorted({table for table, *_ in shapes["one"]}):
            for ours, theirs in (("one", "other"), ("other", "one")):
                rows = gold.execute(
                    f"select * from {ours}.{table} except all select * from {theirs}.{table} "
                    "order by all"
                ).fetchall()
                if rows:
                    found.append(f"{table}: {len(rows)} rows only in {ours}, as {rows[0]}")
    return found


def _shape(gold: duckdb.DuckDBPyConnection, name: str) -> list[tuple[str, ...]]:
    return gold.execute(
        "select schema_name || '.' || table_name, column_name, data_type, is_nullable, comment "
        "from duckdb_columns() where database_name = ? order by all",
        [name],
    ).fetchall()

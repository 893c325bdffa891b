"""Gold files by hand, and gold files compared: every table, every row, every column.

In: statements, or paths of gold files. Out: a small gold in service, or what differs, as text,
empty when they are equal.
"""

import json
from pathlib import Path

import duckdb

from lakehouse.pointer import CURRENT
from lakehouse.settings import Settings
from lakehouse.state import claim


def serve_gold(settings: Settings, *statements: str, file: str = "gold-1.duckdb") -> Path:
    """Put a gold file in service that these statements make, with nothing of it in the ledger."""
    claim(settings)
    settings.gold_dir.mkdir(parents=True, exist_ok=True)
    path = settings.gold_dir / file
    with duckdb.connect(str(path)) as gold:
        for statement in ("create schema gold", "create schema intermediate", *statements):
            gold.execute(statement)
    (settings.gold_dir / CURRENT).write_text(json.dumps({"run_id": path.stem, "file": file}))
    return path


ORDERS_GROUPED = """create table intermediate.int_orders_grouped as
  select order_date, source_system, order_id, customer_id, country, line_class,
    sum(quantity)::bigint as quantity, sum(line_amount)::decimal(18, 4) as line_amount
  from gold.fct_order_lines group by all"""
"""The smaller table that the semantic layer reads where no product is asked for."""


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

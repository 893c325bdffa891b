"""The quality gate: Great Expectations judges silver before gold is built from it.

In: silver at pinned versions and the newest refine batch that gold holds. Out: a `GateResult`
with one row per rule. Rows are judged since that batch, keys over the whole table. Run standalone:
`judge(Settings(), table_versions={...}, since_batch=None)`; the first call imports Great
Expectations, which takes seconds: `quality.gate.worker` keeps a process that has done so.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from lakehouse.duck import delta_relation, first_line, open_lake
from lakehouse.settings import Settings
from quality.gate.expectations import errored, open_frames, verdicts
from quality.gate.frame import frame_sql
from quality.gate.rule import SuiteRule
from quality.gate.suites import RULES
from quality.gate.table_frames import FRAMES, JUDGED_TABLES
from quality.gate.verdicts import GateResult, QualityRow

if TYPE_CHECKING:
    import duckdb
    import pandas as pd

__all__ = ["GateResult", "QualityRow", "judge", "judge_relations"]


def judge(
    settings: Settings, *, table_versions: Mapping[str, int], since_batch: int | None
) -> GateResult:
    """Judge silver at pinned versions.

    Args:
        settings: Where the tables lie.
        table_versions: Delta version by table name; every table of silver must be there.
        since_batch: Newest refine batch that published gold holds; None judges every row.

    Raises:
        LakeError: DuckDB cannot load the Delta extension.
    """
    relations = {
        table.name: delta_relation(settings, table.name, version=table_versions[table.name])
        for table in JUDGED_TABLES
        if table.name in table_versions
    }
    with open_lake(settings) as connection:
        result = judge_relations(connection, relations, since_batch=since_batch)
    return replace(result, table_versions=dict(table_versions))


def judge_relations(
    connection: "duckdb.DuckDBPyConnection",
    relations: Mapping[str, str],
    *,
    since_batch: int | None,
    rules: Sequence[SuiteRule] = RULES,
) -> GateResult:
    """Judge any relations that have the columns of silver's tables.

    Args:
        connection: DuckDB connection that can read them, in UTC.
        relations: SQL text of a relation by table name; a missing one makes its rules fail.
        since_batch: Newest refine batch that was judged before; None judges every row.
        rules: What to check.
    """
    import duckdb

    started = time.perf_counter()
    frames = open_frames()
    found: dict[str, QualityRow] = {}
    rows: dict[str, int] = {}
    for frame in FRAMES:
        asked = [rule for rule in rules if (rule.table, rule.frame) == (frame.table, frame.name)]
        if not asked:
            continue
        try:
            data = _read(connection, frame_sql(frame, relations, since_batch=since_batch))
        except KeyError as error:
            found |= errored(asked, f"no version of {error.args[0]} is given")
            continue
        except duckdb.Error as error:
            found |= errored(asked, first_line(error))
            continue
        if frame.name == "rows":
            rows[frame.table] = int(data["records"].sum())
        found |= verdicts(frames, frame, data, asked)
    return GateResult(
        results=tuple(found[rule.name] for rule in rules),
        rows=rows,
        seconds=round(time.perf_counter() - started, 3),
        since_batch=since_batch,
        judged_at=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def _read(connection: "duckdb.DuckDBPyConnection", sql: str) -> "pd.DataFrame":
    """A frame without floats for integers, whatever is null in it."""
    import pandas as pd
    import pyarrow as pa

    exact = {
        pa.int64(): pd.Int64Dtype(),
        pa.int32(): pd.Int32Dtype(),
        pa.bool_(): pd.BooleanDtype(),
    }
    table = connection.execute(sql).to_arrow_table()
    data: pd.DataFrame = table.to_pandas(types_mapper=exact.get, date_as_object=False)
    return data

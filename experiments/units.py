"""Reads the file of an experiment into one row per unit.

In: a csv, csv.gz or Parquet file, names of its columns. Out: arm, metrics and covariate of each
unit, in the order of arm and unit. A unit's rows are summed for money, and any 1 counts for binary.
"""

import glob
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from lakehouse.duck import first_line, open_memory, quoted
from lakehouse.errors import LakeError
from lakehouse.packing import packing_of
from lakehouse.shop_format import counted

if TYPE_CHECKING:
    import duckdb
    import numpy as np

Kind = Literal["binary", "money", "ratio"]
KINDS: tuple[Kind, ...] = ("binary", "money", "ratio")
LARGEST = 1e15
"""Beyond it, a float no longer holds cents."""


@dataclass(frozen=True)
class Metric:
    """A column to compare; without a kind, one that holds only 0 and 1 is binary.

    A ratio is written NUMERATOR/DENOMINATOR, two columns that are summed over all units.
    """

    column: str
    kind: Kind | None

    @property
    def columns(self) -> list[str]:
        """The columns of the file that it needs."""
        if self.kind != "ratio":
            return [self.column]
        numerator, _, denominator = self.column.partition("/")
        return [numerator, denominator]


@dataclass(frozen=True)
class Arm:
    """The units of one arm: an array per metric, in their order; of a ratio with two columns."""

    values: "tuple[np.ndarray[Any, Any], ...]"
    covariate: "np.ndarray[Any, Any] | None"

    @property
    def units(self) -> int:
        return len(self.values[0])


@dataclass(frozen=True)
class Units:
    """What a file holds: kinds of the metrics, arms by name, units left out for having several."""

    metrics: tuple[str, ...]
    kinds: tuple[Kind, ...]
    arms: dict[str, Arm]
    in_two_arms: int


def parse_metric(text: str) -> Metric:
    """Read `COL`, `COL:binary`, `COL:money` or `COL/COL:ratio`.

    Raises:
        LakeError: A ratio does not name two columns.
    """
    column, _, kind = text.rpartition(":")
    for known in KINDS:
        if column and kind == known:
            metric = Metric(column, known)
            if not all(metric.columns):
                raise LakeError(f"Metric {text} is a ratio: write NUMERATOR/DENOMINATOR:ratio.")
            return metric
    return Metric(text, None)


def read_units(
    path: Path, *, unit: str, arm: str, metrics: Sequence[Metric], covariate: str | None
) -> Units:
    """Read a file and check each value of the named columns.

    Raises:
        LakeError: The file or a column can't be read, or a value is missing or unfit.
    """
    import duckdb

    named = [each.column for each in metrics]
    if twice := sorted({each for each in named if named.count(each) > 1}):
        raise LakeError(f"Metric {twice[0]} is named twice: name it once.")
    columns = [column for each in metrics for column in each.columns]
    with open_memory() as connection:
        try:
            _load(connection, path, [unit, arm, *columns, *([covariate] if covariate else [])])
            return _units_of(connection, path, metrics=metrics, covariate=covariate)
        except duckdb.Error as error:
            raise LakeError(f"{path} can't be read as a table: {first_line(error)}.") from error


def _load(connection: "duckdb.DuckDBPyConnection", path: Path, columns: Sequence[str]) -> None:
    """Make table `texts` of the named columns: `unit`, `arm`, `m0`, `m1` … as texts."""
    packing = packing_of(path, needs="a header and a row per unit")
    source = "read_parquet(?, hive_partitioning=false)"
    if packing != "parquet":
        source = (
            "read_csv(?, header=true, all_varchar=true, hive_partitioning=false, "
            f"skip=0, comment='', compression='{packing}')"
        )
    name = [glob.escape(str(path))]
    found = [each[0] for each in connection.execute(f"from {source} limit 0", name).description]
    for column in columns:
        if column not in found:
            raise LakeError(f"{path} has no column {column}. It has {', '.join(found)}.")
    names = ["unit", "arm", *(f"m{position}" for position in range(len(columns) - 2))]
    picked = ", ".join(
        f"cast({quoted(column)} as varchar) as {name}"
        for column, name in zip(columns, names, strict=True)
    )
    connection.execute(f"create table texts as select {picked} from {source}", name)
    for role, column in zip(("unit", "arm"), columns, strict=False):
        missing = _one(
            connection, f"select count(*) from texts where trim(ifnull({role}, '')) = ''"
        )
        if missing:
            raise LakeError(
                f"Column {column} of {path} is empty in {counted(missing)} rows: "
                f"each needs its {role}."
            )
    if not _one(connection, "select count(*) from texts"):
        raise LakeError(f"{path} has no rows: it needs at least two units in each of two arms.")


def _units_of(
    connection: "duckdb.DuckDBPyConnection",
    path: Path,
    *,
    metrics: Sequence[Metric],
    covariate: str | None,
) -> Units:
    import numpy as np

    places: list[list[str]] = []
    for each in metrics:
        first = sum(map(len, places))
        places.append([f"m{first + n}" for n in range(len(each.columns))])
    kinds = tuple(
        _kind_of(connection, path, each, own) for each, own in zip(metrics, places, strict=True)
    )
    sums = [
        f"max({_number(place)})"
        if kind == "binary"
        # Sorted before they are summed: the same file gives the same sum to the last bit.
        else f"list_sum(list_sort(list({_number(place)})))"
        for kind, own in zip(kinds, places, strict=True)
        for place in own
    ]
    if covariate:
        place = f"m{len(sums)}"
        _check_numbers(connection, path, covariate, place)
        _check_one_per_unit(connection, covariate, _number(place))
        sums.append(f"min({_number(place)})")
    connection.execute(
        "create table units as select unit, any_value(arm) as arm, count(distinct arm) as arms, "
        + ", ".join(f"{each} as v{n}" for n, each in enumerate(sums))
        + " from texts group by unit"
    )
    both = _one(connection, "select count(*) from units where arms > 1")
    frame = connection.execute("from units where arms = 1 order by arm, unit").fetchnumpy()
    names = np.asarray(frame["arm"], dtype=object)
    values = [np.asarray(frame[f"v{n}"], dtype=float) for n in range(len(sums))]
    arms: dict[str, Arm] = {}
    for name in sorted(set(names)):
        own = [each[names == name] for each in values]
        grouped = []
        for each in metrics:
            parts = [own.pop(0) for _ in each.columns]
            grouped.append(parts[0] if len(parts) == 1 else np.column_stack(parts))
        arms[str(name)] = Arm(tuple(grouped), own[0] if covariate else None)
    return Units(tuple(each.column for each in metrics), kinds, arms, both)


def _kind_of(
    connection: "duckdb.DuckDBPyConnection", path: Path, metric: Metric, places: Sequence[str]
) -> Kind:
    for column, each in zip(metric.columns, places, strict=True):
        _check_numbers(connection, path, column, each)
    if metric.kind == "ratio":
        return "ratio"
    place = places[0]
    other = connection.execute(
        f"select min({place}) from texts where {_number(place)} not in (0, 1)"
    ).fetchone()
    if other is None or other[0] is None:
        return metric.kind or "binary"
    if metric.kind == "binary":
        raise LakeError(
            f"Column {metric.column} of {path} holds {other[0]!r}: a binary metric is 0 or 1, "
            "true or false."
        )
    return "money"


def _check_numbers(
    connection: "duckdb.DuckDBPyConnection", path: Path, column: str, place: str
) -> None:
    number = _number(place)
    missing, text, unfit = connection.execute(
        f"select count(*) filter ({place} is null), "
        f"min({place}) filter ({place} is not null and {number} is null), "
        f"min({place}) filter (not isfinite({number}) or abs({number}) > {LARGEST}) from texts"
    ).fetchone() or (0, None, None)
    if missing:
        raise LakeError(
            f"Column {column} of {path} is empty in {counted(missing)} rows: write 0 "
            "where a unit did nothing, and leave out units that were not measured."
        )
    if text is not None:
        raise LakeError(f"Column {column} of {path} holds {text[:40]!r}, which is no number.")
    if unfit is not None:
        raise LakeError(
            f"Column {column} of {path} holds {unfit}: figures must be finite and below "
            f"{LARGEST:.0e}."
        )


def _check_one_per_unit(
    connection: "duckdb.DuckDBPyConnection", covariate: str, number: str
) -> None:
    row = connection.execute(
        f"select min(unit) from (select unit from texts group by unit having min({number}) "
        f"<> max({number}))"
    ).fetchone()
    if row and row[0] is not None:
        raise LakeError(
            f"Unit {row[0]} has several values of covariate {covariate}: it must be one figure "
            "per unit from before the experiment, the same in each of its rows."
        )


def _number(place: str) -> str:
    """SQL of a text's number; null for no number."""
    return (
        f"case lower(trim({place})) when 'true' then 1.0 when 'false' then 0.0 "
        f"else try_cast({place} as double) end"
    )


def _one(connection: "duckdb.DuckDBPyConnection", sql: str) -> int:
    row = connection.execute(sql).fetchone()
    return int(row[0]) if row else 0

"""Reads a file of sales: an ERP extract, a table with named columns, or a CDNOW log.

In: csv, csv.gz, Parquet or blank-separated text. Out: `SalesFile`. An ERP extract follows the rules
of docs/data.md: equal rows count once, only sale lines with a customer count, an order is a
distinct InvoiceNo. In another table each row is a purchase, unless a column names the order.
"""

import glob
import gzip
from collections.abc import Callable, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from lakehouse.contracts.erp_lines import MISSING_TEXTS, read_time, slashed_date
from lakehouse.contracts.topics import ERP_COLUMNS, DateOrder
from lakehouse.duck import first_line, open_memory, quoted
from lakehouse.errors import LakeError
from lakehouse.packing import packing_of
from lakehouse.shop_format import counted
from ml.sales import COLUMNS, SalesFile

if TYPE_CHECKING:
    import duckdb

Form = Literal["table", "cdnow"]
ROLES = ("id", "date", "amount", "order")
"""What a column of a table may be; the order is optional."""
_MISSING = "(" + ", ".join(f"'{each}'" for each in ("", *MISSING_TEXTS)) + ")"
_MONEY = "decimal(24,4)"
_ENCODINGS = ("utf-8", "latin-1")
_ONE_ROW = "a row per purchase"


def parse_columns(text: str) -> dict[str, str]:
    """Read `id=COL,date=COL,amount=COL[,order=COL]`. Raises: LakeError for another form."""
    pairs = [each.partition("=") for each in text.split(",")]
    found = {role.strip(): column.strip() for role, _, column in pairs}
    if len(found) != len(pairs) or not {"id", "date", "amount"} <= set(found) <= set(ROLES):
        raise LakeError(
            f"--columns {text!r} does not fit: write id=COLUMN,date=COLUMN,amount=COLUMN, and "
            "order=COLUMN where a purchase has several rows."
        )
    return found


def read_sales(
    path: Path,
    *,
    columns: Mapping[str, str] | None = None,
    form: Form = "table",
    date_order: DateOrder | None = None,
) -> SalesFile:
    """Read a file of purchases.

    Args:
        path: The file.
        columns: Names by role (`ROLES`); none for an ERP extract with its eight columns.
        form: `cdnow` for lines `id yyyymmdd quantity amount` without a header.
        date_order: Of dates with slashes, where the column leaves it open.

    Raises:
        LakeError: The file, a column or a value can't be read, or there is no purchase.
    """
    import duckdb

    with open_memory() as connection:
        try:
            if form == "cdnow":
                warnings = _load_log(connection, path)
            else:
                found = _load_texts(connection, path)
                if columns is None:
                    warnings = _load_extract(connection, path, found, date_order=date_order)
                else:
                    warnings = _load_table(connection, path, found, columns, date_order=date_order)
            return _sales(connection, path, warnings)
        except duckdb.Error as error:
            raise LakeError(f"{path} can't be read as a table: {first_line(error)}.") from error


def _sales(connection: "duckdb.DuckDBPyConnection", path: Path, warnings: list[str]) -> SalesFile:
    """Purchases of the table `lines`: customer, day, amount (exact), order; `counts` is bool."""
    returned = _one(connection, "select count(*) from lines where counts and amount < 0")
    if returned:
        warnings.append(f"{counted(returned)} purchases with an amount below 0 are left out.")
    frame = connection.execute(
        "select customer_id, min(day) as day, sum(amount)::double as amount, order_id from lines "
        "where counts and amount >= 0 group by customer_id, order_id order by all"
    ).df()
    if frame.empty:
        raise LakeError(
            f"{path} holds no purchase of an identified customer: " + " ".join(warnings)
            if warnings
            else f"{path} holds no purchase of an identified customer."
        )
    last = connection.execute("select max(day) from lines").fetchone()
    assert last is not None  # noqa: S101 - there is a purchase, so there is a day
    return SalesFile(frame[list(COLUMNS)], last[0], tuple(warnings))


def _load_texts(connection: "duckdb.DuckDBPyConnection", path: Path) -> list[str]:
    """Make view `texts` of the file, every column as text; returns the names of its columns."""
    import duckdb

    packing = packing_of(path, needs=_ONE_ROW)
    name = glob.escape(str(path))
    if packing == "parquet":
        relations = ["read_parquet($name, hive_partitioning=false)"]
    else:
        relations = [
            "read_csv($name, header=true, all_varchar=true, hive_partitioning=false, "
            f"compression='{packing}', encoding='{encoding}')"
            for encoding in _ENCODINGS
        ]
    for relation in relations:
        try:
            connection.execute(
                f"create or replace table texts as select columns(*)::varchar from {relation}",
                {"name": name},
            )
            break
        except duckdb.Error as error:
            if relation == relations[-1] or "nvalid unicode" not in str(error):
                raise
    return [each[0] for each in connection.execute("from texts limit 0").description]


def _load_extract(
    connection: "duckdb.DuckDBPyConnection",
    path: Path,
    found: list[str],
    *,
    date_order: DateOrder | None,
) -> list[str]:
    """Make table `lines` of the eight columns of an ERP extract, by the rules of docs/data.md."""
    names = {each.strip(): each for each in found}
    if missing := [each for each in ERP_COLUMNS if each not in names]:
        raise LakeError(
            f"{path} has no column {', '.join(missing)}, and an ERP extract has "
            f"{', '.join(ERP_COLUMNS)}. Name the columns of another file with "
            "--columns id=COLUMN,date=COLUMN,amount=COLUMN."
        )
    picked = ", ".join(f"{quoted(names[each])} as {quoted(each)}" for each in ERP_COLUMNS)
    connection.execute(f"create table distinct_lines as select distinct {picked} from texts")
    _load_days(connection, path, 'select distinct "InvoiceDate" from distinct_lines', date_order)
    connection.execute(
        f"""create table lines as
        with typed as (
            select
                {_id('"CustomerID"')} as customer_id,
                upper({_id('"InvoiceNo"')}) as order_id,
                days.day,
                try_cast("Quantity" as decimal(14,4)) as quantity,
                try_cast("UnitPrice" as decimal(12,4)) as price
            from distinct_lines left join days on "InvoiceDate" = days.text
        )
        select customer_id, order_id, day, cast(quantity * price as {_MONEY}) as amount,
            customer_id is not null and order_id[1] not in ('A', 'C') and quantity >= 0
                and price <> 0 as counts
        from typed where order_id is not null and day is not null and quantity is not null
            and price is not null"""
    )
    kept = _one(connection, "select count(*) from lines")
    bad = _one(connection, "select count(*) from distinct_lines") - kept
    return [
        f"{counted(bad)} rows without a readable date, quantity, price or number are left out."
    ] * (bad > 0)


def _load_table(
    connection: "duckdb.DuckDBPyConnection",
    path: Path,
    found: list[str],
    columns: Mapping[str, str],
    *,
    date_order: DateOrder | None,
) -> list[str]:
    """Make table `lines` of a file's named columns; a row without an id is left out."""
    if missing := [each for each in columns.values() if each not in found]:
        raise LakeError(f"{path} has no column {', '.join(missing)}. It has {', '.join(found)}.")
    day, amount, customer = (f"texts.{quoted(columns[role])}" for role in ("date", "amount", "id"))
    order = f"texts.{quoted(columns.get('order', 'rowid'))}::varchar"
    known = f"{_id(customer)} is not null"
    _load_days(connection, path, f"select distinct {day} from texts where {known}", date_order)
    for column, unfit in (
        (columns["date"], f"{day} is null or {day} not in (select days.text from days)"),
        (columns["amount"], f"try_cast(trim({amount}) as {_MONEY}) is null"),
    ):
        row = connection.execute(
            f"select texts.{quoted(column)}, count(*) over () from texts "
            f"where {known} and ({unfit}) limit 1"
        ).fetchone()
        if row:
            raise LakeError(
                f"Column {column} of {path} holds {(row[0] or '')[:40]!r} and the like in "
                f"{counted(row[1])} rows: correct them, or take them out."
            )
    connection.execute(
        f"""create table lines as
        select {_id(customer)} as customer_id, {order} as order_id, days.day,
            cast(trim({amount}) as {_MONEY}) as amount, true as counts
        from texts inner join days on {day} = days.text where {known}"""
    )
    lost = _one(connection, f"select count(*) from texts where not ({known})")
    return [f"{counted(lost)} rows without a customer are left out."] * (lost > 0)


def _load_log(connection: "duckdb.DuckDBPyConnection", path: Path) -> list[str]:
    """Make table `lines` of a log `id yyyymmdd quantity amount`, a header line allowed.

    Lines of five fields have a second id, of a sample, after the first.
    """
    import pandas as pd

    is_gzip = packing_of(path, needs=_ONE_ROW) == "gzip"
    opened: Callable[..., object] = gzip.open if is_gzip else open
    rows: list[tuple[str, date, str, str]] = []
    with opened(path, "rt", encoding="latin-1") as file:  # type: ignore[attr-defined]
        for number, line in enumerate(file, 1):
            fields = line.split()
            if not fields or (number == 1 and not any(map(str.isdigit, line))):
                continue
            try:
                customer, day, _, amount = fields if len(fields) == 4 else fields[1:]
                rows.append((customer, _compact_day(day), str(float(amount)), str(number)))
            except ValueError:
                raise LakeError(
                    f"{path}, line {number}: {line.strip()[:60]!r} is not `id yyyymmdd quantity "
                    "amount`, separated by blanks."
                ) from None
    if not rows:
        raise LakeError(f"{path} is empty: it needs a line per purchase.")
    log = pd.DataFrame(rows, columns=["customer_id", "day", "amount", "order_id"])
    connection.register("log", log)
    connection.execute(
        "create table lines as select customer_id, order_id, day::date as day, "
        f"amount::{_MONEY} as amount, true as counts from log"
    )
    return []


def _load_days(
    connection: "duckdb.DuckDBPyConnection", path: Path, query: str, date_order: DateOrder | None
) -> None:
    """Make table `days` of the texts of a query: each with its day, unreadable ones left out."""
    import pandas as pd

    texts = [row[0] for row in connection.execute(query).fetchall() if row[0] is not None]
    order = _date_order(texts, path, date_order)
    days = {text: _day(text, order) for text in texts}
    known = [(text, day) for text, day in days.items() if day is not None]
    frame = pd.DataFrame(known, columns=["text", "day"]).astype({"text": "str"})
    connection.register("read_days", frame)
    connection.execute(
        "create table days as select text::varchar as text, day::date as day from read_days"
    )


def _date_order(texts: list[str], path: Path, given: DateOrder | None) -> DateOrder | None:
    """In which order dates with slashes are written, by the whole column; never guessed."""
    parts = [found for found in map(slashed_date, map(_timed, texts)) if found]
    if not parts or given:
        return given
    day_first = any(int(first) > 12 for first, _, _ in parts)
    month_first = any(int(second) > 12 for _, second, _ in parts)
    if day_first == month_first:
        raise LakeError(
            f"{path}: its dates, such as {'/'.join(parts[0])}, may be meant day first or month "
            "first; say which with --date-order day-first or month-first."
        )
    return "day-first" if day_first else "month-first"


def _day(text: str, order: DateOrder | None) -> date | None:
    if time := read_time(_timed(text), date_order=order):
        return date.fromisoformat(time[:10])
    try:
        return datetime.fromisoformat(text.strip()).date()
    except ValueError:
        return None


def _compact_day(text: str) -> date:
    if len(text) != 8:
        raise ValueError(text)
    return date.fromisoformat(text)


def _timed(text: str) -> str:
    plain = text.strip()
    return plain if ":" in plain else f"{plain} 00:00"


def _id(column: str) -> str:
    """SQL of an id: `10.0` is `10`, blanks and `nan` and their like are null."""
    plain = f"trim({column})"
    return (
        f"case when lower({plain}) in {_MISSING} then null "
        f"when regexp_full_match({plain}, '[0-9]+\\.0+') then split_part({plain}, '.', 1) "
        f"else {plain} end"
    )


def _one(connection: "duckdb.DuckDBPyConnection", sql: str) -> int:
    row = connection.execute(sql).fetchone()
    return int(row[0]) if row else 0

"""`lake ml`: lifetime value, segments and churn of any file of sales; the lake is not needed."""

import json
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lakehouse.errors import LakeError
from lakehouse.shop_format import counted, number
from operations.cli import app

if TYPE_CHECKING:
    from lakehouse.contracts.topics import DateOrder
    from ml.sales import SalesFile

ml = typer.Typer(
    help="Lifetime value, segments and churn of any file of sales.", no_args_is_help=True
)
app.add_typer(ml, name="ml")

File = Annotated[
    Path, typer.Option("--file", help="csv, csv.gz or Parquet; or a log, with --format cdnow.")
]
Columns = Annotated[
    str | None,
    typer.Option(
        "--columns", help="id=COL,date=COL,amount=COL[,order=COL]; not for an ERP extract."
    ),
]


class FileFormat(StrEnum):
    """How a file of sales is written."""

    TABLE = "table"
    CDNOW = "cdnow"


class SlashedDate(StrEnum):
    """What comes first in a date with slashes."""

    DAY_FIRST = "day-first"
    MONTH_FIRST = "month-first"


Format = Annotated[
    FileFormat, typer.Option("--format", help="cdnow: lines `id yyyymmdd quantity amount`.")
]
Slashes = Annotated[
    SlashedDate | None, typer.Option("--date-order", help="Of slashed dates, where both fit.")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@ml.command("clv")
def clv(  # noqa: PLR0917 - one parameter per option
    file: File,
    columns: Columns = None,
    form: Format = FileFormat.TABLE,
    date_order: Slashes = None,
    until: Annotated[
        str | None, typer.Option("--until", help="Last day to learn from; default: the last one.")
    ] = None,
    horizon: Annotated[
        float | None,
        typer.Option("--horizon", help="Weeks to foresee; default: the rest of the file, or 13."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Purchase days and spend to come: BG/NBD and gamma-gamma by maximum likelihood.

    Example: lake ml clv --file F --columns id=customer,date=day,amount=total --until 2011-08-31
    """
    from ml.clv_report import report

    sales = _read(file, columns, form, date_order)
    found = report(sales, until=_day(until, "--until"), horizon=horizon)
    _print(found, as_json)


@ml.command("segments")
def segments(  # noqa: PLR0917 - one parameter per option
    file: File,
    columns: Columns = None,
    form: Format = FileFormat.TABLE,
    date_order: Slashes = None,
    k: Annotated[str, typer.Option("--k", help="Numbers of groups: 2..8, or one.")] = "2..8",
    as_json: Json = False,
) -> None:
    """K-means on recency, frequency and monetary amount, for several numbers of groups.

    The day of the snapshot is the one after the file's last. Example: lake ml segments --file F
    """
    from dataclasses import asdict
    from datetime import timedelta

    from ml.segments import compare, parse_ks, rfm

    ks = parse_ks(k)
    sales = _read(file, columns, form, date_order)
    frame = rfm(sales.purchases, sales.last_day + timedelta(days=1))
    _print([asdict(each) for each in compare(frame, ks)], as_json)


@ml.command("churn")
def churn(  # noqa: PLR0917 - one parameter per option
    file: File,
    cutoff: Annotated[str, typer.Option("--cutoff", help="First day of the label, yyyy-mm-dd.")],
    columns: Columns = None,
    form: Format = FileFormat.TABLE,
    date_order: Slashes = None,
    days: Annotated[int, typer.Option("--days", help="Without a purchase: churned.")] = 90,
    as_json: Json = False,
) -> None:
    """Who did not come back after a day, and how well earlier days foretold it.

    Example: lake ml churn --file F --cutoff 2011-09-01 --days 90
    """
    from ml.churn_report import report

    day = _day(cutoff, "--cutoff")
    assert day is not None  # noqa: S101 - the option is required
    sales = _read(file, columns, form, date_order)
    _print(report(sales, cutoff=day, days=days), as_json)


def _read(
    file: Path, columns: str | None, form: FileFormat, date_order: SlashedDate | None
) -> "SalesFile":
    from ml.sales_files import parse_columns, read_sales

    named = None if columns is None else parse_columns(columns)
    order: DateOrder | None = None if date_order is None else date_order.value
    return read_sales(file, columns=named, form=form.value, date_order=order)


def _day(text: str | None, option: str) -> date | None:
    if text is None:
        return None
    try:
        return datetime.fromisoformat(text).date()
    except ValueError:
        raise LakeError(f"{option} {text!r} is no day: write it as 2011-08-31.") from None


def _print(found: Any, as_json: bool) -> None:
    if as_json:
        print(json.dumps(found, indent=1, ensure_ascii=False, allow_nan=False))
        return
    for each in found if isinstance(found, list) else [found]:
        _show(each)
        if isinstance(found, list):
            print()


def _show(found: dict[str, Any], indent: str = "") -> None:
    for name, value in found.items():
        title = f"{indent}{name.replace('_', ' ')}"
        if isinstance(value, dict):
            print(f"{title}:")
            _show(value, indent + "  ")
        elif isinstance(value, (list, tuple)) and value and isinstance(value[0], dict):
            rows = [value[0].keys(), *(map(_text, row.values()) for row in value)]
            print(f"{title}:")
            for row in rows:
                print(f"{indent}  {' '.join(f'{each:>10}' for each in row)}")
        elif isinstance(value, (list, tuple)):
            print(f"{title}: {', '.join(map(_text, value)) or 'none'}")
        else:
            print(f"{title}: {_text(value)}")


def _text(value: object) -> str:
    if isinstance(value, float):
        return number(value, places=4) if abs(value) < 100 else number(value, places=1)
    return counted(value) if isinstance(value, int) and not isinstance(value, bool) else str(value)

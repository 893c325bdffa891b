"""What the pages ask of the semantic layer: a cursor on one gold version in, exact answers out.

Every amount, count and quotient is a metric of `lakehouse.semantics`; nothing is added up or
divided here. Frames hold Decimal, int and date objects, never floats. Orders and customers are
counted once in what is asked for: days, countries and products of them are never to be added up.
Run standalone: with a reader of `dashboards.published`.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import pandas as pd

from dashboards.periods import Extent, Grain, Selection
from dashboards.published import Reader
from lakehouse.contracts.gold import DIM_DATES
from lakehouse.semantics.declared import read_layer
from lakehouse.semantics.names import product_names
from lakehouse.semantics.question import Question, Value, ask

if TYPE_CHECKING:
    import duckdb

TOP_COUNT = 10
Values = Mapping[str, Value]
_PRODUCTS = {"is_product": ("true",)}
MONEY = ("gross_revenue", "cancelled_amount", "net_revenue")


def held(reader: Reader) -> Extent | None:
    """The extent of a reader's version, asked for once."""
    return reader.once("extent", lambda: extent(reader.cursor))


def extent(cursor: "duckdb.DuckDBPyConnection") -> Extent | None:
    """First and last day with orders, without outliers, and what can be filtered by.

    Countries and sources go by gross revenue. None in an empty shop.
    """
    first_day, last_day, all_from, all_to, outlier_count = cursor.execute(
        f"""select min(date_day) filter (not is_outlier), max(date_day) filter (not is_outlier),
          min(date_day), max(date_day), count(*) filter (is_outlier)
        from {DIM_DATES} where is_trading_day"""
    ).fetchall()[0]
    if first_day is None:
        return None
    held = []
    for dimension in ("country", "source"):
        question = Question(("gross_revenue", "net_revenue"), all_from, all_to, by=(dimension,))
        rows = [
            row
            for row in ask(cursor, question)
            if row.values["gross_revenue"] or row.values["net_revenue"]
        ]
        rows.sort(key=lambda row: (-(row.values["gross_revenue"] or 0), row.place))
        held.append(tuple(str(row.place[0]) for row in rows))
    return Extent(first_day, last_day, held[0], outlier_count, held[1])


def question_of(
    selection: Selection,
    metrics: Sequence[str],
    *,
    grain: Grain | None = None,
    by: Sequence[str] = (),
    where: Mapping[str, Sequence[str]] = MappingProxyType({}),
) -> Question:
    """The question for a selection, with further filters `where`."""
    filters = {
        "country": selection.countries,
        "source": selection.sources,
        "product": selection.products,
        **where,
    }
    return Question(tuple(metrics), selection.start, selection.end, grain, tuple(by), filters)


def values_of(
    cursor: "duckdb.DuckDBPyConnection", selection: Selection, metrics: Sequence[str]
) -> Values:
    """What metrics are worth over the selection; None where there is nothing to form one of.

    A metric that knows no such filter, as visits know no country, has no value under it.
    """
    answerable = [name for name in metrics if not not_filtered(selection, name)]
    if not answerable:
        return dict.fromkeys(metrics)
    rows = ask(cursor, question_of(selection, answerable))
    return dict.fromkeys(metrics) | dict(rows[0].values)


def not_filtered(selection: Selection, metric: str) -> tuple[str, ...]:
    """The filters in use that a metric does not know."""
    used = {
        "country": selection.countries,
        "source": selection.sources,
        "product": selection.products,
    }
    known = read_layer().dimensions(metric)
    return tuple(name for name, values in used.items() if values and name not in known)


def over_time(
    cursor: "duckdb.DuckDBPyConnection",
    selection: Selection,
    metrics: Sequence[str],
    *,
    grain: Grain | None = None,
) -> pd.DataFrame:
    """Metrics by time bucket, of each bucket in the period.

    Returns:
        One row per bucket: bucket_date (its first day), then the metrics that know the filters.
    """
    answerable = [name for name in metrics if not not_filtered(selection, name)]
    rows = ask(cursor, question_of(selection, answerable, grain=grain or selection.grain))
    return _frame(rows, ("bucket_date",), answerable)


def by_place(
    cursor: "duckdb.DuckDBPyConnection",
    selection: Selection,
    metrics: Sequence[str],
    dimension: str,
    where: Mapping[str, Sequence[str]] = MappingProxyType({}),
) -> pd.DataFrame:
    """Metrics by a dimension; a column of its name, then the metrics."""
    rows = ask(cursor, question_of(selection, metrics, by=(dimension,), where=where))
    return _frame(rows, (dimension,), metrics)


def sales_over_time(cursor: "duckdb.DuckDBPyConnection", selection: Selection) -> pd.DataFrame:
    """Money by time bucket and source, in order of both.

    Returns:
        One row per bucket and source with a sale or cancellation: bucket_date (first day of the
        bucket), source_system, gross_revenue, cancelled_amount, net_revenue.
    """
    rows = [
        row
        for row in ask(cursor, question_of(selection, MONEY, grain=selection.grain, by=("source",)))
        if row.values["gross_revenue"] or row.values["cancelled_amount"]
    ]
    return _frame(rows, ("bucket_date", "source_system"), MONEY)


def top_products(
    cursor: "duckdb.DuckDBPyConnection", selection: Selection, *, limit: int | None = TOP_COUNT
) -> pd.DataFrame:
    """The products with the most net revenue, service codes left out.

    Returns:
        At most `limit` rows, one per product above zero: sku, description, item_quantity (pieces
        sold) and the three amounts.
    """
    metrics = ("item_quantity", *MONEY)
    found = by_place(cursor, selection, metrics, "product", _PRODUCTS)
    sold = (row for row in found.index if found["net_revenue"][row] > 0)
    order = sorted(sold, key=lambda row: (-found["net_revenue"][row], str(found["product"][row])))
    chosen = found.loc[order[:limit]].reset_index(drop=True)
    names = product_names(cursor, list(chosen["product"]))
    described = [names.get(sku, sku) for sku in chosen["product"]]
    chosen.insert(1, "description", pd.Series(described, dtype=object))
    return chosen.rename(columns={"product": "sku"})


def sales_by_country(cursor: "duckdb.DuckDBPyConnection", selection: Selection) -> pd.DataFrame:
    """Money and orders by country, the largest net revenue first.

    Returns:
        One row per country with a sale or cancellation: country, order_count and the three amounts.
    """
    found = by_place(cursor, selection, ("order_count", *MONEY), "country")
    traded = (
        row for row in found.index if found["gross_revenue"][row] or found["cancelled_amount"][row]
    )
    order = sorted(traded, key=lambda row: (-found["net_revenue"][row], str(found["country"][row])))
    return found.loc[order].reset_index(drop=True)


def _frame(rows: Sequence[Any], keys: Sequence[str], metrics: Sequence[str]) -> pd.DataFrame:
    """Rows as a frame of Python objects: Decimal and date stay what they are."""
    cells = [
        ([row.bucket] if row.bucket is not None else [])
        + [*row.place, *(row.values[name] for name in metrics)]
        for row in rows
    ]
    return pd.DataFrame(cells, columns=[*keys, *metrics], dtype=object)

"""What members of a dimension are called: keys of an answer in, names for people out."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from lakehouse.contracts.gold import DIM_PRODUCTS

if TYPE_CHECKING:
    import duckdb


def product_names(cursor: "duckdb.DuckDBPyConnection", skus: Sequence[str]) -> Mapping[str, str]:
    """The name of each product that has one."""
    rows = cursor.execute(
        f"""select sku, description from {DIM_PRODUCTS}
        where is_current and description is not null
          and sku in (select unnest($skus::varchar[]))
        order by sku, description desc""",  # noqa: S608 - a name of ours
        {"skus": list(skus)},
    ).fetchall()
    return dict(rows)

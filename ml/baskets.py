"""Which products are bought together: baskets as a matrix, similarities, and what they foresee.

In: lines of orders. Out: a similarity of each pair of products, and how often it finds a product
that was taken out of a later basket.
Source: item-to-item similarity, Sarwar, Karypis, Konstan & Riedl (2001), Item-based collaborative
filtering, WWW10; shrinking pairs that few share: Bell & Koren (2007), ICDM.
"""

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from lakehouse.contracts.gold import FCT_ORDER_LINES
from lakehouse.errors import LakeError

if TYPE_CHECKING:
    import duckdb
    import numpy as np
    import pandas as pd

TOP = 10
"""Products that are shown, and among which a hidden one must be to count as found."""
LEAST_TOGETHER = 2
"""Orders that a pair must share to be similar at all: one may be chance."""
NEIGHBOURS = 50
"""Most similar products of each that count."""


@dataclass(frozen=True)
class Baskets:
    """Orders by products: `matrix` holds 1 where an order has a product, rows in time order."""

    skus: tuple[str, ...]
    orders: tuple[str, ...]
    days: "np.ndarray[Any, Any]"
    matrix: Any

    def between(self, first: date | None, until: date | None) -> "Baskets":
        """Orders from a day on, and before another; the products stay the same."""
        import numpy as np

        kept = np.ones(len(self.days), dtype=bool)
        if first is not None:
            kept &= self.days >= np.datetime64(first)
        if until is not None:
            kept &= self.days < np.datetime64(until)
        orders = tuple(order for order, keep in zip(self.orders, kept, strict=True) if keep)
        return Baskets(self.skus, orders, self.days[kept], self.matrix[kept])


def read_baskets(gold: "duckdb.DuckDBPyConnection") -> Baskets:
    """Every order with at least two products, of all sources and customers.

    Raises:
        LakeError: There is none.
    """
    frame = gold.execute(
        f"""select distinct source_system || ' ' || order_id as basket, sku,
          min(order_date) over (partition by source_system, order_id) as day
        from {FCT_ORDER_LINES} where line_class = 'sale' and is_product
        qualify count(distinct sku) over (partition by source_system, order_id) >= 2
        order by day, basket, sku"""
    ).df()
    if frame.empty:
        raise LakeError("Gold holds no order with two products, so nothing is bought together.")
    return of_lines(frame)


def of_lines(frame: "pd.DataFrame") -> Baskets:
    """Baskets of rows with basket, sku and day, in the order of days and baskets."""
    import numpy as np
    import pandas as pd
    from scipy.sparse import csr_matrix

    rows, orders = pd.factorize(frame["basket"])
    columns, skus = pd.factorize(frame["sku"], sort=True)
    matrix = csr_matrix(
        (np.ones(len(frame), dtype=np.float32), (rows, columns)), shape=(len(orders), len(skus))
    )
    days = frame.groupby(rows)["day"].first().to_numpy().astype("datetime64[D]")
    return Baskets(tuple(map(str, skus)), tuple(map(str, orders)), days, matrix)


def similarities(baskets: Baskets, *, shrink: float) -> Any:
    """Cosine of each pair of products over the baskets, times n / (n + shrink) for n with both.

    Returns: a sparse matrix, product by product, with the `NEIGHBOURS` most similar of each row.
    """
    import numpy as np
    from scipy.sparse import csr_matrix

    both = (baskets.matrix.T @ baskets.matrix).tocsr()
    counts = both.diagonal()
    both.setdiag(0)
    both.data[both.data < LEAST_TOGETHER] = 0
    both.eliminate_zeros()
    pairs = both.tocoo()
    values = pairs.data / np.sqrt(counts[pairs.row] * counts[pairs.col])
    values = values * pairs.data / (pairs.data + shrink)
    kept = _best(pairs.row, values, NEIGHBOURS)
    return csr_matrix((values[kept], (pairs.row[kept], pairs.col[kept])), shape=both.shape)


def hide_one(baskets: Baskets) -> "tuple[Any, np.ndarray[Any, Any]]":
    """Take one product out of each basket, by a rule that any run repeats.

    Returns: the matrix without them, and the column that each basket lost.
    """
    import numpy as np

    matrix = baskets.matrix.copy()
    hidden = np.empty(matrix.shape[0], dtype=np.int64)
    random = np.random.default_rng(20)
    for row, draw in enumerate(random.random(matrix.shape[0])):
        start, end = matrix.indptr[row], matrix.indptr[row + 1]
        place = start + int(draw * (end - start))
        hidden[row] = matrix.indices[place]
        matrix.data[place] = 0
    matrix.eliminate_zeros()
    return matrix, hidden


def found_by(known: Any, hidden: "np.ndarray[Any, Any]", scores: Any) -> "np.ndarray[Any, Any]":
    """Whether each basket's hidden product is among its ten best-scored that it does not hold.

    Args:
        known: Baskets without their hidden product.
        hidden: Column that each lost.
        scores: Dense or sparse, basket by product; equal scores rank by column.
    """
    import numpy as np

    found = np.zeros(len(hidden), dtype=bool)
    for start in range(0, len(hidden), 500):
        rows = slice(start, start + 500)
        part = scores[rows]
        dense = np.asarray(part.todense() if hasattr(part, "todense") else part, dtype=np.float64)
        dense[known[rows].toarray() > 0] = -1.0
        own = dense[np.arange(len(dense)), hidden[rows]]
        better = (dense > own[:, None]).sum(axis=1)
        ties = (dense == own[:, None]) & (np.arange(dense.shape[1]) < hidden[rows][:, None])
        found[rows] = (better + ties.sum(axis=1) < TOP) & (own > 0)
    return found


def _best(
    rows: "np.ndarray[Any, Any]", values: "np.ndarray[Any, Any]", count: int
) -> "np.ndarray[Any, Any]":
    """Places of the `count` largest values of each row; the first of equal ones."""
    import numpy as np

    order = np.lexsort((-values, rows))
    starts = np.flatnonzero(np.r_[True, np.diff(rows[order]) > 0])
    rank = np.arange(len(order)) - np.repeat(starts, np.diff(np.r_[starts, len(order)]))
    kept: np.ndarray[Any, Any] = order[rank < count]
    return kept

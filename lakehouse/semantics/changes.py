"""Who made the change of a metric between two periods: members of a dimension, the largest first.

In: a question, and the days to compare with. Out: exact amounts by member, which add up to the
change.
One statement, so that a page that shows a few of thousands of members fetches no more than these.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from lakehouse.errors import LakeError
from lakehouse.semantics.declared import read_layer
from lakehouse.semantics.question import Question, compiled

if TYPE_CHECKING:
    import duckdb

_BY_CHANGE = "abs(change) desc, amount desc, place"
_BY_AMOUNT = "amount desc, place"


@dataclass(frozen=True)
class Change:
    """A member of a dimension, and the metric's amount now and before."""

    place: str | None
    now: Decimal
    before: Decimal


@dataclass(frozen=True)
class Changes:
    """The members asked for, in order, and how many have an amount in either period."""

    found: Sequence[Change]
    member_count: int


def changes(
    cursor: "duckdb.DuckDBPyConnection",
    question: Question,
    before: tuple[date, date] | None,
    *,
    most: int | None = None,
) -> Changes:
    """The members with an amount in either period, by the size of their change.

    Args:
        cursor: On one version of gold.
        question: One simple metric by one dimension, without a grain.
        before: First and last day to compare with. Without them the largest amounts come first.
        most: So many of those that rose, that fell and that stayed; None for all.

    Raises:
        LakeError: The metric can't be cut so, or is no sum of its members' amounts.
    """
    layer = read_layer()
    metric = layer.metric(question.metrics[0])
    if metric.type != "simple":
        raise LakeError(f"{metric.label} of a whole is no sum of its parts.")
    model = layer.measured_by(metric.name)
    sql, parameters = compiled(layer, model, (metric,), question, before=before)
    names, order = ("place, amount_now, amount_before", _BY_CHANGE)
    if not before:
        names, order = ("place, amount_now", _BY_AMOUNT)
    limit = ""
    if most is not None:
        parameters["most"] = most
        limit = f"qualify row_number() over (partition by sign(change) order by {order}) <= $most"
    rows = cursor.execute(
        f"""with
        sums ({names}) as ({sql}),
        members as (
          select
            place,
            coalesce(amount_now, 0) as amount,
            {"coalesce(amount_before, 0)" if before else "0"} as earlier_amount,
            amount - earlier_amount as change
          from sums
        )
        select place, amount, earlier_amount, count(*) over ()
        from members
        where amount <> 0 or earlier_amount <> 0
        {limit}
        order by {order}""",  # noqa: S608 - statements of the layer's own names; values are bound
        parameters,
    ).fetchall()
    found = [Change(place, Decimal(now), Decimal(before)) for place, now, before, _ in rows]
    return Changes(found, rows[0][-1] if rows else 0)

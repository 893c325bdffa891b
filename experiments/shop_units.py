"""The units of the shop's own experiments: visitors of the web shop, from gold.

In: gold, an experiment. Out: one row per visitor who was exposed to it on its days and arm that was
shown. A visitor counts from the first exposure on, whether or not there was an order.
"""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from experiments.analyse import conclude
from experiments.registry import Experiment, guardrail_of
from experiments.results import Analysis
from experiments.units import parse_metric, read_units
from lakehouse.contracts.gold import FCT_EXPOSURES, FCT_ORDERS, FCT_SESSIONS
from lakehouse.errors import LakeError

if TYPE_CHECKING:
    import duckdb

BEFORE_DAYS = 90
COLUMNS = (
    *("has_order", "order_count", "gross_amount", "session_count", "page_view_count"),
    *("product_view_count", "add_to_cart_count", "checkout_count", "duration_seconds"),
    "gross_before",
)
"""What is known of a visitor; `gross_before` is what the customer bought in the days before."""
_UNITS = f"""
with exposed as (
  select visitor_id, arm, min(first_exposed_at) as exposed_at from {FCT_EXPOSURES}
  where experiment = $name and exposure_date >= $first_day and exposure_date <= $last_day
  group by visitor_id, arm
), visits as (
  select exposed.visitor_id, exposed.arm, sessions.* exclude (visitor_id)
  from exposed left join {FCT_SESSIONS} as sessions
    on sessions.visitor_id = exposed.visitor_id and ended_at >= exposed_at
    and session_date <= $last_day
), orders as (
  select order_id, gross_amount from {FCT_ORDERS} where source_system = 'web'
), before as (
  select customer_id, sum(gross_amount) as gross_before from {FCT_ORDERS}
  where customer_id is not null
    and order_date >= $first_day - {BEFORE_DAYS} and order_date < $first_day
  group by customer_id
), visitors as (
  select visitor_id, arm, min(visits.customer_id) as customer_id,
    max(has_order::int) as has_order,
    count(distinct orders.order_id) as order_count,
    sum(orders.gross_amount)::decimal(38, 4) as gross_amount,
    count(distinct session_id) as session_count,
    sum(page_view_count) as page_view_count, sum(product_view_count) as product_view_count,
    sum(add_to_cart_count) as add_to_cart_count, sum(checkout_count) as checkout_count,
    sum(duration_seconds) as duration_seconds
  from visits left join orders using (order_id)
  group by visitor_id, arm
)
select visitor_id, arm, {", ".join(f"coalesce({each}, 0)::varchar" for each in COLUMNS[:-1])},
  coalesce(max(gross_before) over (partition by visitor_id), 0)::varchar as gross_before
from visitors left join before using (customer_id)
order by visitor_id, arm"""


@dataclass(frozen=True)
class Result:
    """An experiment's analysis on gold: its days, and how many days they are."""

    name: str
    experiment: Experiment
    first_day: date
    last_day: date
    analysis: Analysis

    @property
    def days(self) -> int:
        return (self.last_day - self.first_day).days + 1


def analyse_experiment(
    gold: "duckdb.DuckDBPyConnection",
    name: str,
    found: Experiment,
    *,
    sequential: bool = True,
    bayes: bool = False,
) -> Result:
    """What a registered experiment shows so far; by default with figures that hold at every look.

    Raises:
        LakeError: Its unit, a metric or its days don't fit what gold knows of visitors.
    """
    if found.unit != "visitor":
        raise LakeError(
            f"Experiment {name} is of unit {found.unit}: gold knows who saw what for visitors "
            "only. Analyse a file of its units with --file."
        )
    first, last = _days(gold, name, found)
    guarded = dict(map(guardrail_of, found.guardrails))
    metrics = [parse_metric(each) for each in (*found.metrics, *guarded)]
    covariate = found.covariate
    wanted = [*(c for each in metrics for c in each.columns), *([covariate] if covariate else [])]
    if unknown := sorted(set(wanted) - set(COLUMNS)):
        raise LakeError(
            f"Experiment {name} names {unknown[0]}, which gold does not know of a visitor. It "
            f"knows {', '.join(COLUMNS)}."
        )
    days = {"name": name, "first_day": first, "last_day": last}
    rows = gold.execute(_UNITS, days).fetchall()
    with tempfile.TemporaryDirectory(prefix="cartlake-") as folder:
        path = Path(folder) / "units.parquet"
        _write(path, rows)
        units = read_units(path, unit="unit", arm="arm", metrics=metrics, covariate=covariate)
    analysis = conclude(
        units,
        source=f"experiment {name}",
        control=found.control,
        covariate=covariate,
        weights=_shares(found.arms),
        sequential=sequential,
        bayes=bayes,
        guardrails={parse_metric(text).column: way for text, way in guarded.items()},
    )
    return Result(name, found, first, last, analysis)


def _days(gold: "duckdb.DuckDBPyConnection", name: str, found: Experiment) -> tuple[date, date]:
    """First and last day of the experiment that gold has exposures of."""
    known = "from duckdb_tables() where schema_name || '.' || table_name = ?"
    if not gold.execute(known, [FCT_EXPOSURES]).fetchone():
        raise LakeError(
            "The gold in service was built by an older version, without exposures. Run "
            "`lake publish`, and it has them."
        )
    row = gold.execute(
        f"select min(exposure_date), max(exposure_date) from {FCT_EXPOSURES} where experiment = ?",
        [name],
    ).fetchone()
    seen_first, seen_last = row if row else (None, None)
    if seen_first is None:
        raise LakeError(
            f"Nobody was shown experiment {name} yet: gold has no exposure of it. The web shop "
            "sends one with each visit of its days."
        )
    first = max(found.first_day or seen_first, seen_first)
    last = min(found.last_day or seen_last, seen_last)
    if last < first:
        raise LakeError(
            f"Nobody was shown experiment {name} on its days: gold's exposures are from "
            f"{seen_first} to {seen_last}."
        )
    return first, last


def _write(path: Path, rows: "list[tuple[str, ...]]") -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = list(zip(*rows, strict=True))
    table = pa.table(
        {
            "unit": pa.array(columns[0]),
            "arm": pa.array(columns[1]),
            **{name: pa.array(columns[n]) for n, name in enumerate(COLUMNS, 2)},
        }
    )
    pq.write_table(table, path)


def _shares(arms: Mapping[str, float]) -> dict[str, float]:
    return {name: float(weight) for name, weight in arms.items()}

"""The shop's own recent past, by source: volume, prices, texts, unknown customers, gaps, freshness.

In: order lines and web events. Out: `HISTORY_FRAMES`, queries that
`quality.gate.table_frames` joins. A source of fewer than 30 days is left out, so that a young shop
raises no alarm; only its newest week is compared. There is no clock here: a replayed history is as
fresh as its newest day.
"""

from collections.abc import Mapping

from lakehouse.contracts.business import FIRST_YEAR, LAST_YEAR
from lakehouse.contracts.outliers import plausible_span_sql
from lakehouse.contracts.tables import ORDER_LINES, WEB_EVENTS
from quality.gate.frame import Frame

HISTORY_DAYS = 30
"""Days that a source must look back on before its past says anything."""

PAST_DAYS = 60
"""Days that a day is compared with."""

JUDGED_DAYS = 7
"""Newest days of a source that are compared."""

FEWEST_LINES = 50
"""Sale lines below which a day's median price and its rate of unknown customers are left out."""

_DAYS = (
    f"""
span as ({plausible_span_sql("{all}", day="order_date")}),
"""
    """
days as (
    select source_system, order_date,
           count(*) as line_count,
           count(*) filter (line_class = 'sale') as sale_count,
           count(*) filter (line_class = 'sale' and customer_id is null)
               / nullif(count(*) filter (line_class = 'sale'), 0) as unknown_rate,
           median(unit_price) filter (line_class = 'sale')::double as price,
           max(length(description)) filter (line_class = 'sale') as longest,
           count(*) filter (refined_batch > {since}) as new_count,
           min(order_date) over source as first_date,
           max(order_date) over source as last_date
    from {all}, span
    where order_date between span.last_day - 150 and span.last_day
    group by source_system, order_date
    window source as (partition by source_system)
)
"""
)
_PARTS: Mapping[str, str | int] = {
    "plausible_span": plausible_span_sql("{all}", day="order_date"),
    "days": _DAYS,
    "first_year": FIRST_YEAR,
    "last_year": LAST_YEAR,
    "history_days": HISTORY_DAYS,
    "past_days": PAST_DAYS,
    "judged_days": JUDGED_DAYS,
    "fewest_lines": FEWEST_LINES,
}

# The newest day may still be filling, so it is never too small.
_RECENT_DAYS = Frame(
    "recent_days",
    ORDER_LINES.name,
    """
    with {days},
    compared as (
        select *,
               median(line_count) over past as usual_count,
               median(price) over past as usual_price,
               median(longest) over past as usual_longest,
               max(unknown_rate) over past as highest_unknown_rate,
               count(*) over past as past_count
        from days
        window past as (
            partition by source_system order by order_date
            range between interval {past_days} days preceding and interval 1 day preceding
        )
    )
    select source_system, order_date, line_count,
           round(line_count / usual_count, 4) as volume_ratio,
           case when order_date < last_date then round(line_count / usual_count, 4) end
               as full_day_volume_ratio,
           case when sale_count >= {fewest_lines} then round(price / nullif(usual_price, 0), 4) end
               as price_ratio,
           case when sale_count >= {fewest_lines}
               then round(longest / nullif(usual_longest, 0), 4) end as longest_text_ratio,
           case when sale_count >= {fewest_lines} then round(unknown_rate - highest_unknown_rate, 4)
               end as unknown_rate_rise,
           1::bigint as records
    from compared
    where new_count > 0 and order_date > last_date - {judged_days}
      and order_date - first_date >= {history_days} and past_count >= 15 and usual_count >= 20
    order by source_system, order_date
    """,
    unit="days",
    sample=("source_system", "order_date", "line_count"),
    parts=_PARTS,
)
_MISSING_DAYS = Frame(
    "missing_days",
    ORDER_LINES.name,
    """
    with {days},
    week as (
        select distinct source_system, first_date,
               last_date - unnest(range(1, {judged_days}))::int as missing_date
        from days
    ),
    empty as (
        select * from week anti join days
        on days.source_system = week.source_system and days.order_date = week.missing_date
    ),
    weeks_before as (
        select source_system, missing_date,
               missing_date - (7 * unnest(range(1, 7)))::int as order_date
        from empty where missing_date - first_date >= 42
    )
    select source_system, missing_date, 1::bigint as records
    from weeks_before join days using (source_system, order_date)
    group by source_system, missing_date having count(*) = 6
    order by source_system, missing_date
    """,
    unit="days without a line",
    sample=("source_system", "missing_date"),
    parts=_PARTS,
)
_FRESHNESS = Frame(
    "freshness",
    ORDER_LINES.name,
    """
    with {days},
    pauses as (
        select *, order_date - lag(order_date) over (
            partition by source_system order by order_date
        ) as pause_days
        from days
    )
    select source_system, max(last_date) as last_date,
           greatest(
               (select last_day from span), (select last_day from ({plausible_web_span}))
           ) - max(last_date) as silent_days,
           greatest(14, 2 * max(pause_days)) as allowed_days,
           1::bigint as records
    from pauses
    group by source_system
    having max(last_date) - max(first_date) >= {history_days}
    order by source_system
    """,
    unit="sources",
    sample=("source_system", "last_date"),
    others=(WEB_EVENTS.name,),
    parts={
        "plausible_web_span": plausible_span_sql("{web_events}", day="event_date"),
        **_PARTS,
    },
)

_OUTLIERS = Frame(
    "outlying_days",
    ORDER_LINES.name,
    """
    with span as ({plausible_span})
    select source_system, order_date, min(order_id) as first_order_id, count(*) as records
    from {new}, span
    where order_date not between span.first_day and span.last_day
      and year(order_date) between {first_year} and {last_year}
    group by source_system, order_date order by source_system, order_date limit {limit}
    """,
    unit="lines",
    sample=("source_system", "order_date", "first_order_id"),
    parts=_PARTS,
)

HISTORY_FRAMES = (_OUTLIERS, _RECENT_DAYS, _MISSING_DAYS, _FRESHNESS)

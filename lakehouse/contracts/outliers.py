"""Which days of a shop's data are its own, and which are outliers: a mistyped year, as a rule.

In: the days that hold a fact. Out: the span that clocks and calendars go by. An outlying fact is
kept and counts on its own day; it only moves nothing else. The rule needs no clock, so a history
that is replayed gives the same span for ever.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

OUTLIER_GAP_DAYS = 731
"""Days with a fact that lie further apart belong to different runs."""

OUTLIER_RUN_DAYS = 7
"""Days with a fact in a run at most for it to be outlying; the longest run never is."""


@dataclass(frozen=True)
class Span:
    """First and last plausible day; `outliers` are the days with a fact outside, in order."""

    first: date
    last: date
    outliers: tuple[date, ...] = ()


def plausible_span(days: Iterable[date]) -> Span | None:
    """The span of a shop's own days; None without a day.

    Days fall into runs wherever two of them are more than two years apart. The run of the most
    days, the earliest of several, and every run of more than a week of days are the shop's own;
    what lies before the first and after the last of these is outlying.
    """
    ordered = sorted(set(days))
    if not ordered:
        return None
    runs = [[ordered[0]]]
    for before, day in pairwise(ordered):
        if (day - before).days > OUTLIER_GAP_DAYS:
            runs.append([])
        runs[-1].append(day)
    longest = max(runs, key=len)
    own = [run for run in runs if run is longest or len(run) > OUTLIER_RUN_DAYS]
    first, last = own[0][0], own[-1][-1]
    return Span(first, last, tuple(day for day in ordered if not first <= day <= last))


def plausible_span_sql(relation: str, *, day: str) -> str:
    """`plausible_span` as DuckDB SQL: one row with `first_day` and `last_day`.

    Args:
        relation: SQL text of a relation; empty, the row holds nulls.
        day: Its column of days.
    """
    return f"""
        select min(first_day) as first_day, max(last_day) as last_day
        from (
            select min(day) as first_day, max(day) as last_day, count(*) as day_count,
                   row_number() over (order by count(*) desc, min(day)) = 1 as is_longest
            from (
                select day, count(*) filter (is_start) over (order by day) as run
                from (
                    select day, day - lag(day) over (order by day) > {OUTLIER_GAP_DAYS} as is_start
                    from (select distinct {day} as day from {relation} where {day} is not null)
                )
            )
            group by run
        )
        where is_longest or day_count > {OUTLIER_RUN_DAYS}
    """  # noqa: S608 - names of the contracts

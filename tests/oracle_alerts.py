"""Alerts beside the oracle: the contributors that each message names.

In: a gold file, and the oracle's lines of the same raw input. Out: a verdict. Run standalone:
`.venv/bin/python -m tests.oracle_run`.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path

from lakehouse.duck import open_gold
from reports.alerts.contributors import contributors
from tests import oracle
from tests.oracle.alerts import contributors as counted
from tests.oracle.sales import Key, Values
from tests.oracle_gold import Verdict, verdict

ALERTS = "contributors in alerts"
COMPARED = 8
_KPIS = ("gross_revenue", "net_revenue", "order_count", "active_customers")


def compare_alerts(
    gold_file: Path, lines: Sequence[oracle.Line], *, every: int = 1
) -> Iterator[Verdict]:
    """Each `every`th day with lines, beside up to eight of the days before it."""
    by_day: dict[date, list[oracle.Line]] = defaultdict(list)
    for line in lines:
        by_day[line.day].append(line)
    days = sorted(by_day)
    found: dict[Key, Values] = {}
    expected: dict[Key, Values] = {}
    with open_gold(gold_file) as gold:
        for place in range(1, len(days), every):
            day, compared = days[place], days[max(0, place - COMPARED) : place]
            for kpi in _KPIS:
                named = contributors(gold, kpi, day, compared)
                for dimension in dict.fromkeys(each.dimension for each in named):
                    sizes = [abs(each.difference) for each in named if each.dimension == dimension]
                    found |= {
                        (day, kpi, dimension, place): (size,) for place, size in enumerate(sizes)
                    }
                own = counted(by_day, kpi, day, compared)
                expected |= {(day, kpi, *key): values for key, values in own.items()}
    yield verdict(ALERTS, found, expected)

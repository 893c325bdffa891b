"""The shop's experiments again: who was shown which arm, what they did, and what that tells.

In: messages of web events as JSON, order lines. Out: figures by experiment: units of each arm, the
sample ratio, and per metric difference, statistic and degrees of freedom. Arms are A, the control,
and B, of equal shares.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from statistics import NormalDist, mean, variance

from tests.oracle.lines import Line, unrepeated
from tests.oracle.sales import Key, Values

Event = dict[str, object]


class Measured(float):
    """A figure of floats: as good as another that differs by less than a billionth of it."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, float) and math.isclose(self, other, rel_tol=1e-9, abs_tol=1e-12)

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = None  # type: ignore[assignment]


def experiments(messages: Iterable[bytes], lines: Sequence[Line]) -> dict[Key, Values]:
    """Figures of every experiment that these messages tell of, without covariate or looks."""
    worth: dict[str, float] = {}
    for line in lines:
        if line.source == "web" and line.kind in ("sale", "cancellation"):
            amount = float(line.amount) if line.kind == "sale" else 0
            worth[line.order] = worth.get(line.order, 0) + amount
    sessions: dict[object, list[Event]] = defaultdict(list)
    for event in sorted(unrepeated(messages), key=_place):
        sessions[event["session_id"]].append(event)
    shown: dict[str, dict[str, dict[str, str]]] = defaultdict(lambda: defaultdict(dict))
    for event in sorted((each for events in sessions.values() for each in events), key=_place):
        if event["event_type"] == "exposure":
            arms = shown[str(event["experiment"])][str(event["visitor_id"])]
            arms.setdefault(str(event["arm"]), str(event["occurred_at"]))
    found: dict[Key, Values] = {}
    for name, visitors in shown.items():
        rows: dict[str, list[tuple[float, float, float]]] = {"A": [], "B": []}
        for visitor, arms in visitors.items():
            if len(arms) == 1:
                [(arm, since)] = arms.items()
                rows[arm].append(_acts(visitor, since, sessions.values(), worth))
        found |= {(name, *key): values for key, values in _figures(rows["A"], rows["B"]).items()}
    return found


def _place(event: Event) -> tuple[str, str]:
    return str(event["occurred_at"]), str(event["event_id"])


def _acts(
    visitor: str, since: str, sessions: Iterable[list[Event]], worth: Mapping[str, float]
) -> tuple[float, float, float]:
    """Sessions of a visitor that were not over before a moment, those with an order, its amount."""
    own = [
        events
        for events in sessions
        if events[0]["visitor_id"] == visitor and str(events[-1]["occurred_at"]) >= since
    ]
    orders = set()
    for events in own:
        bought = [e["order_id"] for e in events if e["event_type"] == "purchase" and e["order_id"]]
        orders |= {str(each) for each in bought[:1]} & worth.keys()
    return len(own), len(orders), sum(worth[each] for each in orders)


def _figures(
    control: list[tuple[float, float, float]], arm: list[tuple[float, float, float]]
) -> dict[Key, Values]:
    counts = (len(control), len(arm))
    even = sum(counts) / 2
    chi2 = sum((each - even) ** 2 / even for each in counts)
    likely = 2 * (1 - NormalDist().cdf(math.sqrt(chi2)))
    (bought_0, bought), (amounts_0, amounts) = (
        tuple([read(row) for row in rows] for rows in (control, arm))
        for read in (lambda row: float(row[1] > 0), lambda row: row[2])
    )
    share_0, share, both = mean(bought_0), mean(bought), mean(bought_0 + bought)
    z = (share - share_0) / math.sqrt(both * (1 - both) * sum(1 / each for each in counts))
    errors = [variance(each) / len(each) for each in (amounts, amounts_0)]
    difference = mean(amounts) - mean(amounts_0)
    df = sum(errors) ** 2 / sum(
        error**2 / (count - 1) for error, count in zip(errors, reversed(counts), strict=True)
    )
    rates, spread = [], 0.0
    for rows in (arm, control):
        visits, orders = mean(row[0] for row in rows), mean(row[1] for row in rows)
        rates.append(orders / visits)
        beyond = [row[1] - rates[-1] * row[0] for row in rows]
        spread += variance(beyond) / len(rows) / visits**2
    rate = rates[0] - rates[1]
    return {
        ("units",): counts,
        ("sample ratio",): (Measured(chi2), Measured(likely)),
        ("has_order",): (Measured(share - share_0), Measured(z), None),
        ("gross_amount",): (
            Measured(difference),
            Measured(difference / math.sqrt(sum(errors))),
            Measured(df),
        ),
        ("order_count/session_count",): (Measured(rate), Measured(rate / math.sqrt(spread)), None),
    }

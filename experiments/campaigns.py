"""Campaigns that could not be randomised: difference in differences, with an interval by bootstrap.

In: a file with rows of unit, group, period and metric. Out: how much more the treated units changed
than the others, a check of the trends before, and the assumptions it rests on.
"""

import glob
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from experiments.comparing import ALPHA, Figures, compare_means
from lakehouse.duck import first_line, open_memory, quoted
from lakehouse.errors import LakeError
from lakehouse.packing import packing_of

if TYPE_CHECKING:
    import numpy as np

DRAWS = 2_000
SEED = 20_111_210
"""Resampling begins here, so the same file gives the same interval."""
ASSUMPTIONS = (
    "without the campaign both groups would have changed alike (parallel trends)",
    "nothing else began for one group only at that time",
    "units don't change the group, and don't influence those of the other",
    "a unit without a row in a period did nothing in it",
)


@dataclass(frozen=True)
class Campaign:
    """Units by group, figures per unit and period, and what the time before says of the trends."""

    units: dict[str, int]
    periods_before: int
    periods_after: int
    figures: Figures
    bootstrap_low: float
    bootstrap_high: float
    trend_difference: float | None
    trend_p_value: float | None
    verdict: str

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "assumptions": list(ASSUMPTIONS)}


def analyse_campaign(
    path: Path, *, unit: str, group: str, treated: str, period: str, start: str, metric: str
) -> Campaign:
    """How much more the treated units' metric per period changed than that of all others.

    Periods are compared as dates (YYYY-MM-DD) where all are, else as numbers; `start` is the first
    one of the campaign. A unit's change is one figure, so its rows need not be independent.
    Source: Bertrand, Duflo, Mullainathan, Quarterly Journal of Economics 119, 2004.

    Raises:
        LakeError: The file, a column or a value does not fit, or a group or a time is empty.
    """
    import numpy as np

    rows = _rows(path, [unit, group, period, metric])
    place = _places({row[2] for row in rows} | {start}, path)
    seen = sorted({place[row[2]] for row in rows})
    first = sum(each < place[start] for each in seen)
    if not 0 < first < len(seen):
        raise LakeError(
            f"{path} has {first} periods before {start} and {len(seen) - first} from then on: a "
            "difference in differences needs both."
        )
    column = {each: n for n, each in enumerate(seen)}
    groups: dict[str, str] = {}
    sums: dict[str, np.ndarray[Any, Any]] = {}
    for name, own_group, at, value in rows:
        if groups.setdefault(name, own_group) != own_group:
            raise LakeError(f"Unit {name} of {path} is in two groups: give it one.")
        sums.setdefault(name, np.zeros(len(seen)))[column[place[at]]] += value
    table = {
        is_treated: np.array(
            [own for name, own in sorted(sums.items()) if (groups[name] == treated) == is_treated]
        )
        for is_treated in (True, False)
    }
    if min(map(len, table.values())) < 2:
        raise LakeError(
            f"{path} has {len(table[True])} units of group {treated} and {len(table[False])} "
            "others: at least two of each are needed."
        )
    change = {each: _change(own, first) for each, own in table.items()}
    figures = compare_means(change[True], change[False])
    low, high = _bootstrap(change[True], change[False])
    trend = None
    if first > 1:
        before = {each: _change(own[:, :first], first // 2) for each, own in table.items()}
        trend = compare_means(before[True], before[False])
    return Campaign(
        {treated: len(table[True]), "others": len(table[False])},
        first,
        len(seen) - first,
        figures,
        low,
        high,
        trend.difference if trend else None,
        trend.p_value if trend else None,
        _verdict(figures, trend, metric),
    )


def _change(rows: "np.ndarray[Any, Any]", first: int) -> "np.ndarray[Any, Any]":
    """Each unit's mean per period from `first` on, less that of the periods before."""
    found: np.ndarray[Any, Any] = rows[:, first:].mean(axis=1) - rows[:, :first].mean(axis=1)
    return found


def _bootstrap(
    treated: "np.ndarray[Any, Any]", others: "np.ndarray[Any, Any]"
) -> tuple[float, float]:
    """Percentile interval; units are drawn again within their group.

    Source: Efron, Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13.
    """
    import numpy as np

    random = np.random.default_rng(SEED)
    draws = [
        random.choice(treated, len(treated)).mean() - random.choice(others, len(others)).mean()
        for _ in range(DRAWS)
    ]
    low, high = np.quantile(draws, [ALPHA / 2, 1 - ALPHA / 2])
    return float(low), float(high)


def _verdict(figures: Figures, trend: Figures | None, metric: str) -> str:
    if trend is not None and trend.p_value is not None and trend.p_value < ALPHA:
        return (
            f"No verdict: before the campaign the groups' {metric} changed differently already "
            f"(p {trend.p_value:.2g}), so the trends are not parallel."
        )
    if figures.p_value is None:
        return f"No test is possible: the changes of {metric} vary too little."
    unchecked = " The trends before could not be checked: one period only." if not trend else ""
    if figures.p_value >= ALPHA:
        return f"No effect on {metric} is shown (p {figures.p_value:.2g}).{unchecked}"
    verb = "raised" if figures.difference > 0 else "lowered"
    return (
        f"The campaign {verb} {metric} by {abs(figures.difference):.4g} a unit and period (95 % "
        f"interval {figures.ci_low:.4g} to {figures.ci_high:.4g}), if its assumptions hold."
        f"{unchecked}"
    )


def _rows(path: Path, columns: list[str]) -> list[tuple[str, str, str, float]]:
    import duckdb

    packing = packing_of(path, needs="a header and a row per unit and period")
    source = (
        "read_parquet(?)" if packing == "parquet" else "read_csv(?, header=true, all_varchar=true)"
    )
    name = [glob.escape(str(path))]
    with open_memory() as connection:
        try:
            known = [
                each[0] for each in connection.execute(f"from {source} limit 0", name).description
            ]
            if missing := [each for each in columns if each not in known]:
                raise LakeError(f"{path} has no column {missing[0]}. It has {', '.join(known)}.")
            texts = ", ".join(f"trim({quoted(each)}::varchar)" for each in columns[:3])
            number = f"try_cast({quoted(columns[3])}::varchar as double)"
            rows = connection.execute(f"select {texts}, {number} from {source}", name).fetchall()
        except duckdb.Error as error:
            raise LakeError(f"{path} can't be read as a table: {first_line(error)}.") from error
    for row in rows:
        if not all(row[:3]) or row[3] is None or not abs(row[3]) < float("inf"):
            raise LakeError(
                f"{path} has a row without unit, group, period or a finite figure of {columns[3]}: "
                f"{row}. Each row needs all four."
            )
    return rows


def _places(periods: set[str], path: Path) -> dict[str, float]:
    """A number to order each period by: of dates their day, else the number itself."""
    from datetime import date

    try:
        return {each: float(date.fromisoformat(each).toordinal()) for each in periods}
    except ValueError:
        pass
    try:
        return {each: float(each) for each in periods}
    except ValueError:
        raise LakeError(
            f"The periods of {path} must be dates such as 2011-12-09, or numbers."
        ) from None

"""Lifetime value of one file: what was learned up to a day, foreseen after it, and what came.

In: purchases, the last day to learn from, a horizon. Out: a plain dictionary, as `lake ml clv`
prints it. Run standalone: `lake ml clv --file F`.
"""

from dataclasses import asdict
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from lakehouse.errors import LakeError
from lakehouse.shop_format import counted, number
from ml.lifetime_value import (
    expected_purchases,
    expected_spend,
    fit_purchases,
    fit_spend,
    histories,
)
from ml.lifetime_value_check import errors, interval
from ml.sales import SalesFile

if TYPE_CHECKING:
    import pandas as pd

WEEKS = 13.0


def report(
    sales: SalesFile, *, until: date | None = None, horizon: float | None = None
) -> dict[str, Any]:
    """Learn up to `until`, foresee `horizon` weeks, and compare where the file goes on.

    Raises:
        LakeError: A day or horizon does not fit, or there are too few customers.
    """
    end = until or sales.last_day
    goes_on = sales.last_day > end
    weeks = horizon or ((sales.last_day - end).days / 7 if goes_on else WEEKS)
    if not 0 < weeks < 52 * 20:
        raise LakeError(f"--horizon {weeks:g} does not fit: a number of weeks above 0.")
    history = histories(sales.purchases, end)
    purchases, spend = fit_purchases(history), fit_spend(history)
    expected = expected_purchases(purchases, history, weeks)
    warnings = [*sales.warnings, *purchases.warnings, *(spend.warnings if spend else ())]
    if spend is None:
        warnings.append("Too few customers spent on a repeat day: there is no model of spend.")
    last = end + timedelta(days=round(weeks * 7))
    found: dict[str, Any] = {
        "customers": len(history),
        "until": end.isoformat(),
        "horizon_weeks": weeks,
        "parameters": {
            **{name: getattr(purchases, name) for name in ("r", "alpha", "a", "b")},
            **{name: getattr(spend, name, None) for name in ("p", "q", "v")},
        },
        "log_likelihood": purchases.log_likelihood,
        "log_likelihood_spend": spend.log_likelihood if spend else None,
        "predicted_purchase_days": float(expected.sum()),
        "predicted_interval": list(interval(purchases, history, weeks)),
        "predicted_amount": float(expected @ expected_spend(spend, history)) if spend else None,
    }
    if goes_on:
        actual = purchase_days(sales.purchases, after=end, last=last)
        known = actual[actual.index.isin(history.index)]
        found["actual_purchase_days"] = int(known.sum())
        compared = errors(history, expected, known, weeks)
        found["errors"] = {name: asdict(each) for name, each in compared.items()}
        low, high = found["predicted_interval"]
        if not low <= found["actual_purchase_days"] <= high:
            warnings.append(
                f"{counted(found['actual_purchase_days'])} purchase days came, outside of "
                f"the interval {number(low)} to {number(high)}: the model knows no season and no "
                "growth."
            )
        if last > sales.last_day:
            warnings.append(
                f"The file ends on {sales.last_day}, before the horizon does on {last}: "
                "actual_purchase_days are those up to its end."
            )
    return {**found, "warnings": warnings}


def purchase_days(sales: "pd.DataFrame", *, after: date, last: date) -> "pd.Series[int]":
    """Days with a purchase later than `after` and up to `last`, by customer_id."""
    import pandas as pd

    day = sales["day"]
    later = sales[(day > pd.Timestamp(after)) & (day <= pd.Timestamp(last))]
    return later.groupby("customer_id")["day"].nunique()

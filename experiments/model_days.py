"""Champion and challenger as an experiment: live days, dealt to one of the two by a salted hash.

In: the table of forecasts, where both have a value for each day as of the day before. Out: the
same analysis as for any experiment, of the absolute error in the shop's money: of each day only the
error of the model that it was dealt to counts. Days that neither model was trained on are live.
"""

from datetime import date
from typing import Any

from experiments.analyse import conclude
from experiments.assignment import arm_of
from experiments.results import Analysis
from experiments.units import Arm, Units
from lakehouse.contracts.scores import DAILY_SALES_FORECAST
from lakehouse.duck import delta_relation, open_lake
from lakehouse.errors import LakeError
from lakehouse.settings import Settings
from lakehouse.tables import current_version

ARMS = {"champion": 1.0, "challenger": 1.0}
METRIC = "absolute_error"
FEWEST = 4
"""Live days below which there is nothing to compare."""


def analyse_models(
    settings: Settings, *, champion: str, challenger: str, known_until: date
) -> Analysis:
    """The challenger against the champion on the days since both were trained.

    Args:
        champion: Version in use, as scores name it; its scores only count.
        challenger: The version in its shadow, likewise. Another pair deals the days again.
        known_until: The last day that one of the two was trained on.

    Raises:
        LakeError: Too few days were scored by both, or an arm got none.
    """
    errors = _errors(settings, champion, challenger, known_until)
    if len(errors) < FEWEST:
        raise LakeError(
            f"{len(errors)} days after {known_until} were scored by both {champion} and "
            f"{challenger}, and {FEWEST} are needed: `lake job score` scores the days there are."
        )
    dealt: dict[str, list[float]] = {name: [] for name in ARMS}
    for day, *pair in errors:
        arm = arm_of(day.isoformat(), salt=f"{champion}/{challenger}", weights=ARMS)
        dealt[arm].append(pair[list(ARMS).index(arm)])
    import numpy as np

    arms = {name: Arm((np.array(values),), None) for name, values in dealt.items() if values}
    return conclude(
        Units((METRIC,), ("money",), arms, 0),
        source=f"the days of {champion} and {challenger}",
        control="champion",
        weights=ARMS,
    )


def _errors(
    settings: Settings, champion: str, challenger: str, known_until: date
) -> list[tuple[Any, ...]]:
    """Day and both errors, in order."""
    if current_version(DAILY_SALES_FORECAST, settings=settings) is None:
        return []
    with open_lake(settings) as lake:
        return lake.execute(
            f"""with scored as (
              select forecast_date, model_version,
                abs(actual_value - expected_value) as error
              from {delta_relation(settings, DAILY_SALES_FORECAST)}
              where not is_future and forecast_date > $known_until
                and isfinite(actual_value) and isfinite(expected_value)
            )
            select one.forecast_date, one.error, other.error
            from scored as one inner join scored as other using (forecast_date)
            where one.model_version = $champion and other.model_version = $challenger
            order by one.forecast_date""",
            {"known_until": known_until, "champion": champion, "challenger": challenger},
        ).fetchall()

"""Targets of KPIs, as the settings give them: amounts and counts for a day, rates as they are.

In: LAKE_KPI_TARGETS, e.g. `net_revenue=30000,return_rate=0.02`. Out: what a period should reach.
"""

from collections.abc import Mapping
from decimal import Decimal

from lakehouse.contracts.kpis import Kpi, kpi
from lakehouse.errors import LakeError
from lakehouse.settings import Settings


def targets(settings: Settings) -> Mapping[str, Decimal]:
    """Target of each KPI that has one: of a day, or as it is for a rate or an average.

    Raises:
        LakeError: One is of no KPI.
    """
    given = [each.split("=") for each in (settings.kpi_targets or "").split(",") if each]
    for name, _ in given:
        try:
            kpi(name)
        except KeyError:
            raise LakeError(f"LAKE_KPI_TARGETS names {name!r}, which is no KPI.") from None
    return {name: Decimal(value) for name, value in given}


def of_days(declared: Kpi, daily: Decimal, day_count: int) -> Decimal:
    """What the period of so many days should reach."""
    return daily if declared.per or declared.unit == "rate" else daily * day_count

"""The KPIs as the dbt project declares them: the one list that gold, screens and docs read.

In: the variable `kpis` of dbt_project.yml. Out: one `Kpi` each, and what it is worth over given
measures: the same rule for a day in gold and for a period on a screen.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from decimal import ROUND_HALF_UP, Context, Decimal
from functools import cache
from pathlib import Path
from typing import Any

from lakehouse.contracts.gold import FCT_DAILY_KPIS
from lakehouse.errors import LakeError
from lakehouse.settings import PROJECT_ROOT

DECLARATION = PROJECT_ROOT / "dbt_project" / "dbt_project.yml"
TABLE = FCT_DAILY_KPIS
"""The mart that holds a value of each KPI for each day."""

UNITS = ("money", "count", "rate", "days")
DIRECTIONS = ("up", "down")
_FOUR_PLACES = Decimal("0.0001")
_EXACT = Context(prec=60)


@dataclass(frozen=True)
class Kpi:
    """A KPI. `measure` and `per` name amounts or counts; `direction`: where its size should go."""

    name: str
    unit: str
    measure: str
    direction: str
    owner: str
    source: str
    definition: str
    per: str = ""

    def value(self, measures: Mapping[str, Decimal | int]) -> Decimal | None:
        """What the KPI is worth where its measures have these values.

        A quotient has four decimals, half up, as in gold; None where its base is not above zero.

        Raises:
            KeyError: A measure of the KPI is missing.
        """
        amount = Decimal(measures[self.measure])
        return quotient(amount, Decimal(measures[self.per])) if self.per else amount


def quotient(amount: Decimal, base: Decimal) -> Decimal | None:
    """Four decimals, half up, as in gold; None where the base is not above zero."""
    if base <= 0:
        return None
    return _EXACT.divide(amount, base).quantize(_FOUR_PLACES, ROUND_HALF_UP, _EXACT)


def kpi(name: str) -> Kpi:
    """A declared KPI. Raises: KeyError for an unknown name."""
    return _declared()[name]


@cache
def read_kpis(declaration: Path = DECLARATION) -> tuple[Kpi, ...]:
    """Every KPI, in the order of its declaration.

    Raises:
        LakeError: The declaration can't be read, or one is incomplete.
    """
    import yaml  # type: ignore[import-untyped]

    try:
        found = yaml.safe_load(declaration.read_text(encoding="utf-8"))["vars"]["kpis"]
        kpis = tuple(Kpi(**each) for each in found)
    except (OSError, yaml.YAMLError, AttributeError, KeyError, TypeError) as error:
        raise LakeError(f"The KPIs of {declaration} can't be read: {error}.") from error
    for each in kpis:
        if fault := _fault(each):
            raise LakeError(f"The KPI {each.name} of {declaration} {fault}.")
    if len({each.name for each in kpis}) < len(kpis):
        raise LakeError(f"{declaration} declares a KPI twice.")
    return kpis


def _fault(found: Kpi) -> str:
    values: dict[str, Any] = {each.name: getattr(found, each.name) for each in fields(found)}
    empty = [name for name, value in values.items() if name != "per" and not value]
    if empty:
        return f"has no {empty[0]}"
    if found.unit not in UNITS:
        return f"has a unit other than {', '.join(UNITS)}"
    if found.direction not in DIRECTIONS:
        return f"has a direction other than {', '.join(DIRECTIONS)}"
    return ""


@cache
def _declared() -> dict[str, Kpi]:
    return {each.name: each for each in read_kpis()}

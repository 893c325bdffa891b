"""The expected net revenue of the next days."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal


@dataclass(frozen=True)
class Forecast:
    """Day, mean and bounds (money); `level` is the share of days within the bounds."""

    model: str
    level: Decimal
    days: tuple[tuple[date, Decimal, Decimal, Decimal], ...]

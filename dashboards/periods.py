"""Which days a page looks at: presets, the period before, and the grain of a time axis.

In: what a person chose and the days that gold holds. Out: a checked `Selection`. Days are
the shop's and both ends are included.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from dashboards.formats import period
from lakehouse.errors import LakeError

Grain = Literal["day", "week", "month"]

PRESETS = {"7": "7D", "30": "30D", "90": "90D", "365": "1Y", "all": "All"}
"""Value and label of each preset; numbers are days that end with the data's last day."""
DEFAULT_PRESET = "all"
_LONGEST_BY_DAY = 62
_LONGEST_BY_WEEK = 270
_MOST_COUNTRIES = 300


class BadFilter(LakeError):
    """The filters cannot be used; the message says why, in words for the page."""


@dataclass(frozen=True)
class Extent:
    """What gold holds: its first and last day and its countries, the largest first.

    `outlier_count` days with a fact lie far outside, as a mistyped year does: no period holds them.
    """

    first_day: date
    last_day: date
    countries: tuple[str, ...]
    outlier_count: int = 0


@dataclass(frozen=True)
class Selection:
    """Days from `start` to `end`, both included, and countries; no country means all of them."""

    start: date
    end: date
    countries: tuple[str, ...] = ()

    @property
    def day_count(self) -> int:
        return (self.end - self.start).days + 1

    @property
    def grain(self) -> Grain:
        """Day up to two months, week up to nine, else month."""
        if self.day_count <= _LONGEST_BY_DAY:
            return "day"
        return "week" if self.day_count <= _LONGEST_BY_WEEK else "month"

    def before(self, extent: Extent) -> "Selection | None":
        """The period of equal length just before, when gold holds all of it."""
        end = self.start - timedelta(days=1)
        start = self.start - timedelta(days=self.day_count)
        return Selection(start, end, self.countries) if start >= extent.first_day else None


def preset_days(preset: str, extent: Extent) -> tuple[date, date]:
    """First and last day of a preset, within the data.

    Raises:
        BadFilter: There is no such preset.
    """
    if preset not in PRESETS:
        raise BadFilter("That period is not offered: choose one of the buttons.")
    if preset == "all":
        return extent.first_day, extent.last_day
    start = extent.last_day - timedelta(days=int(preset) - 1)
    return max(start, extent.first_day), extent.last_day


def checked(days: object, countries: object, extent: Extent) -> Selection:
    """A selection out of what the browser sent.

    Args:
        days: Two ISO dates; days outside the data are cut off.
        countries: A list of country names, empty or None for all.
        extent: What gold holds.

    Raises:
        BadFilter: A value has the wrong type or names something that gold does not hold.
    """
    start, end = _two_days(days)
    if start > end:
        raise BadFilter("The period ends before it starts: choose the first day first.")
    if start > extent.last_day or end < extent.first_day:
        held = period(extent.first_day, extent.last_day)
        raise BadFilter(f"There is no data in that period: gold holds {held}.")
    return Selection(
        max(start, extent.first_day), min(end, extent.last_day), _known(countries, extent)
    )


def buckets_cut(selection: Selection) -> tuple[bool, bool]:
    """Whether the first and the last bucket of the time axis hold less than their whole span."""
    first, last = selection.start, selection.end
    if selection.grain == "week":
        return first.weekday() != 0, last.weekday() != 6
    if selection.grain == "month":
        return first.day != 1, (last + timedelta(days=1)).day != 1
    return False, False


def _two_days(days: object) -> tuple[date, date]:
    if not isinstance(days, list | tuple) or len(days) != 2:
        raise BadFilter("A period needs a first and a last day.")
    try:
        start, end = (date.fromisoformat(each) for each in days)
    except (TypeError, ValueError):
        raise BadFilter("A period needs two dates such as 2011-12-09.") from None
    return start, end


def _known(countries: object, extent: Extent) -> tuple[str, ...]:
    if countries is None:
        return ()
    if not isinstance(countries, list) or len(countries) > _MOST_COUNTRIES:
        raise BadFilter("The countries must be a list of names.")
    known = set(extent.countries)
    strange = [each for each in countries if not isinstance(each, str) or each not in known]
    if strange:
        raise BadFilter(f"Gold holds no sales for the country {str(strange[0])[:60]!r}.")
    return tuple(dict.fromkeys(countries))

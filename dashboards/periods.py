"""Which days a page looks at: presets, the period before, and the grain of a time axis.

In: what a person chose and the days that gold holds. Out: a checked `Selection`. Days are
the shop's and both ends are included.
"""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Literal

from dashboards.formats import period
from lakehouse.errors import LakeError

Grain = Literal["day", "week", "month"]

PRESETS = {"7": "7D", "30": "30D", "90": "90D", "365": "1Y", "all": "All"}
"""Value and label of each preset; numbers are days that end with the data's last day."""
DEFAULT_PRESET = "all"
COMPARISONS = {
    "previous": "Period before",
    "weekdays": "Same weekdays before",
    "year": "Year before",
}
"""Value and label of each period to compare with."""
DEFAULT_COMPARISON = "previous"
_LONGEST_BY_DAY = 62
_LONGEST_BY_WEEK = 270
_MOST_NAMES = 300
_LONGEST_NAME = 200


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
    sources: tuple[str, ...] = ()


@dataclass(frozen=True)
class Selection:
    """Days from `start` to `end`, both included, and what is let in; nothing named means all.

    `products` are stock codes. `compare` is one of `COMPARISONS`.
    """

    start: date
    end: date
    countries: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    products: tuple[str, ...] = ()
    compare: str = DEFAULT_COMPARISON

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
        """The period to compare with, when gold holds all of it.

        That just before, the latest before that begins on the same weekday, or the same days of the
        year before (28 February for the 29th).
        """
        if self.compare == "year":
            start, end = _year_before(self.start), _year_before(self.end)
        else:
            weeks = -(-self.day_count // 7) * 7
            back = timedelta(days=weeks if self.compare == "weekdays" else self.day_count)
            start, end = self.start - back, self.end - back
        return replace(self, start=start, end=end) if start >= extent.first_day else None


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


def checked(
    days: object,
    countries: object,
    extent: Extent,
    *,
    sources: object = None,
    products: object = None,
    compare: object = DEFAULT_COMPARISON,
) -> Selection:
    """A selection out of what the browser sent.

    Args:
        days: Two ISO dates; days outside the data are cut off.
        countries: A list of country names, empty or None for all.
        extent: What gold holds.
        sources: A list of source systems, likewise.
        products: A list of stock codes, likewise; one that nobody bought gives no sales.
        compare: One of `COMPARISONS`.

    Raises:
        BadFilter: A value has the wrong type or names something that gold does not hold.
    """
    start, end = _two_days(days)
    if start > end:
        raise BadFilter("The period ends before it starts: choose the first day first.")
    if start > extent.last_day or end < extent.first_day:
        held = period(extent.first_day, extent.last_day)
        raise BadFilter(f"There is no data in that period: gold holds {held}.")
    if compare not in COMPARISONS:
        raise BadFilter("That comparison is not offered: choose one of the list.")
    return Selection(
        max(start, extent.first_day),
        min(end, extent.last_day),
        _known(countries, extent.countries, "countries", "no sales for the country"),
        _known(sources, extent.sources, "sources", "nothing of the source"),
        _names(products, "products"),
        str(compare),
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


def _year_before(day: date) -> date:
    try:
        return day.replace(year=day.year - 1)
    except ValueError:
        return day.replace(year=day.year - 1, day=28)


def _names(given: object, what: str) -> tuple[str, ...]:
    if given is None:
        return ()
    names = given if isinstance(given, list) and len(given) <= _MOST_NAMES else [None]
    if not all(isinstance(each, str) and len(each) <= _LONGEST_NAME for each in names):
        raise BadFilter(f"The {what} must be a list of names.")
    return tuple(dict.fromkeys(names))


def _known(given: object, held: tuple[str, ...], what: str, lack: str) -> tuple[str, ...]:
    names = _names(given, what)
    strange = [each for each in names if each not in held]
    if strange:
        raise BadFilter(f"Gold holds {lack} {strange[0][:60]!r}.")
    return names

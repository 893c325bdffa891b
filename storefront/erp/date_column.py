"""In which order an extract writes its dates with slashes: decided once, by the whole column.

In: the InvoiceDates of an extract. Out: the order, or one clear refusal, and the days they span.
`03/04/2019` alone says nothing, but beside `14/03/2019` it can only be 3 April. What the column
leaves open is never guessed: `--date-order` says it.
"""

from collections.abc import Iterator
from datetime import date
from functools import lru_cache
from pathlib import Path

from lakehouse.contracts.business import FIRST_YEAR, LAST_YEAR
from lakehouse.contracts.erp_lines import full_year, read_time, slashed_date
from lakehouse.contracts.outliers import Span, plausible_span
from lakehouse.contracts.topics import DATE_ORDERS, DateOrder
from lakehouse.errors import LakeError

Parts = tuple[str, str, str]
_YEAR_FIRST = "year-first"
"""How years of two digits may be meant, and are never read."""


class DateColumn:
    """Gathers the dates of one extract; memory grows with distinct days only."""

    def __init__(self) -> None:
        self._days: set[str] = set()
        self._slashed: set[Parts] = set()

    def add(self, text: str) -> None:
        """Take note of one InvoiceDate; a text that is no date says nothing."""
        if parts := slashed_date(text):
            self._slashed.add(parts)
        elif time := read_time(text):
            self._days.add(time[:10])

    @property
    def possible(self) -> set[str]:
        """Orders in which every date with slashes is a real day; empty without such a date."""
        fits = [set(_days(parts)) for parts in self._slashed if _days(parts)]
        return set.intersection(*fits) if fits else set()

    def order(self, asked: DateOrder | None, *, path: Path) -> DateOrder | None:
        """The order of the dates with slashes; None where there are none.

        Args:
            asked: What the user says; it settles what the column leaves open.
            path: Of the extract, for messages.

        Raises:
            LakeError: The column fits several orders, or none, or another one than asked for.
        """
        dates = sorted(parts for parts in self._slashed if _days(parts))
        if not dates:
            return None
        possible = self.possible
        if asked is not None:
            self._require(asked, dates, path=path)
            return asked
        if not possible:
            late, early = (
                "/".join(next(parts for parts in dates if order not in _days(parts)))
                for order in ("month-first", "day-first")
            )
            raise LakeError(
                f"{path}: InvoiceDate holds {late}, which can't be month-first, and {early}, which "
                "can't be day-first; correct the dates, or say which order the file has with "
                "--date-order day-first or --date-order month-first."
            )
        if possible == {_YEAR_FIRST}:
            raise LakeError(
                f"{path}: dates such as {'/'.join(dates[0])} begin with a year of two digits, "
                "which is not read; write them as yyyy-MM-dd HH:mm:ss."
            )
        undecided = [parts for parts in dates if len({_days(parts)[each] for each in possible}) > 1]
        if undecided:
            raise LakeError(
                f"{path}: nothing in the column InvoiceDate decides in which order dates such as "
                f"{'/'.join(undecided[0])} are written; say it with --date-order day-first or "
                "--date-order month-first, or write them as yyyy-MM-dd HH:mm:ss."
            )
        return "day-first" if possible == {"day-first"} else "month-first"

    def span(self, order: DateOrder | None) -> Span | None:
        """The plausible days of the extract and those that lie apart; None without any day."""
        return plausible_span(self._all_days(order))

    def _all_days(self, order: DateOrder | None) -> Iterator[date]:
        for text in self._days:
            if FIRST_YEAR <= int(text[:4]) <= LAST_YEAR:
                yield date.fromisoformat(text)
        for parts in self._slashed:
            day = _days(parts).get(order or "")
            if day is not None and FIRST_YEAR <= day.year <= LAST_YEAR:
                yield day

    @staticmethod
    def _require(asked: DateOrder, dates: list[Parts], *, path: Path) -> None:
        """Refuse an order that a date contradicts and none speaks for."""
        other = next(order for order in DATE_ORDERS if order != asked)
        against = [parts for parts in dates if asked not in _days(parts)]
        if against and not any(
            other not in _days(parts) for parts in dates if parts not in against
        ):
            raise LakeError(
                f"{path}: --date-order {asked} does not fit, for InvoiceDate holds "
                f"{'/'.join(against[0])}; leave the option out or name the other order."
            )


@lru_cache(1 << 12)
def _days(parts: Parts) -> dict[str, date]:
    """The real days that a date with slashes can mean, by order."""
    first, second, year = parts
    whole = full_year(year) if len(year) == 2 else year
    meanings = [("month-first", whole, first, second), ("day-first", whole, second, first)]
    if len(first) == len(year) == 2:
        meanings.append((_YEAR_FIRST, full_year(first), second, year))
    found: dict[str, date] = {}
    for order, *numbers in meanings:
        try:
            found[order] = date(*map(int, numbers))
        except ValueError:
            continue
    return found

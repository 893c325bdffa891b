"""Mails beside the oracle: the figures of reports, in their text and in their workbook.

In: a gold file, and the oracle's lines and visits of the same raw input. Out: a verdict for each
form of each report. Run standalone: `.venv/bin/python -m tests.oracle_run`.
"""

import io
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import openpyxl

from lakehouse.contracts.kpis import kpi
from lakehouse.duck import open_gold
from reports.figures import Figures, read_figures
from reports.health import Health
from reports.periods import Report, period_of, read_calendar
from reports.plain_text import text
from reports.speech import Speech
from reports.wording import Told, tell
from reports.workbook import workbook
from tests import oracle
from tests.oracle.mails import Diary
from tests.oracle.sales import Key, Values
from tests.oracle_gold import Verdict, verdict

MAILS = ("daily mails", "weekly mails", "movers in daily mails", "mails as text", "workbooks")
_SPEECH = Speech("en", "Europe/London")


def compare_mails(
    gold_file: Path, lines: Sequence[oracle.Line], shop: oracle.Visits, *, every: int = 1
) -> Iterator[Verdict]:
    """Each `every`th trading day with the day after, and their weeks: mails beside the oracle."""
    diary = Diary(lines, shop)
    found: dict[str, dict[Key, Values]] = {name: {} for name in MAILS}
    expected: dict[str, dict[Key, Values]] = {name: {} for name in MAILS}
    with open_gold(gold_file) as gold:
        calendar = read_calendar(gold)
        chosen = sorted(calendar.trading)[::every]
        after = {min(each + timedelta(days=1), calendar.last) for each in chosen}
        for day in sorted({*chosen, *after}):
            monday = day - timedelta(days=day.weekday())
            reports: tuple[tuple[Report, Mapping[Key, Values]], ...] = (
                ("daily", diary.of_day(day)),
                ("weekly", diary.of_week(monday)),
            )
            for report, counted in reports:
                figures = read_figures(gold, period_of(report, day, calendar), calendar)
                where = (report, figures.period.key)
                name = f"{report} mails"
                found[name] |= _keyed(where, _values(figures))
                expected[name] |= _keyed(where, counted)
                told = _told(figures)
                found[MAILS[3]] |= _keyed(where, _of_text(told))
                found[MAILS[4]] |= _keyed(where, _of_workbook(figures, told))
                expected[MAILS[3]] |= _keyed(where, _shown(counted))
                expected[MAILS[4]] |= _keyed(where, _as_numbers(counted))
                if report == "daily":
                    found[MAILS[2]] |= _keyed((day.isoformat(),), _moved(figures))
                    expected[MAILS[2]] |= _keyed((day.isoformat(),), diary.moved(day))
    for name in MAILS:
        yield verdict(name, found[name], expected[name])


def _keyed(where: Key, values: Mapping[Key, Values]) -> dict[Key, Values]:
    return {(*where, *key): value for key, value in values.items()}


def _values(figures: Figures) -> dict[Key, Values]:
    return {
        (each.kpi.name,): (each.now, each.before, each.usual)
        for each in figures.lines
        if (each.now, each.before, each.usual) != (None, None, None)
    }


def _moved(figures: Figures) -> dict[Key, Values]:
    """Changes by kind: rises from the largest, then falls from the deepest."""
    found: dict[Key, Values] = {}
    for kind in ("product", "country"):
        changes = [each.change for each in figures.movers if each.kind == kind]
        rises = [each for each in changes if each > 0]
        falls = sorted(each for each in changes if each < 0)
        found |= {(kind, place): (value,) for place, value in enumerate([*rises, *falls])}
    return found


def _told(figures: Figures) -> Told:
    health = Health((), 8, 1, 0, 0)
    return tell(figures, health, [], None, speech=_SPEECH, run_id="r", published_at=None)


def _of_text(told: Told) -> dict[Key, Values]:
    """The table of the text part, read back: by KPI its three cells, without their changes."""
    rows = text(told, [], links=[], unsubscribe="mailto:x@y.example").split("\n\n")[2].splitlines()
    found: dict[Key, Values] = {}
    for row in rows[1 : 1 + len(told.rows)]:
        name, *cells = re.split(r"\s{2,}", re.sub(r" \([^)]*\)", "", row))
        found[name.lower().replace(" ", "_"),] = tuple(cells)
    return found


def _of_workbook(figures: Figures, told: Told) -> dict[Key, Values]:
    sheet = openpyxl.load_workbook(io.BytesIO(workbook(figures, told))).worksheets[0]
    rows = list(sheet.iter_rows(min_row=2, values_only=True))
    return {
        (str(row[0]).lower().replace(" ", "_"),): tuple(row[1:4])
        for row in rows
        if tuple(row[1:4]) != (None, None, None)
    }


def _shown(counted: Mapping[Key, Values]) -> dict[Key, Values]:
    """As a reader of English sees them."""
    return {
        key: tuple(_in_english(value, kpi(str(key[0])).unit) for value in values)
        for key, values in counted.items()
    }


def _in_english(value: object, unit: str) -> str:
    if not isinstance(value, Decimal):
        return "–"
    places = {"money": "0.01", "count": "1", "rate": "0.01"}[unit]
    number = (value * 100 if unit == "rate" else value).quantize(Decimal(places), ROUND_HALF_UP)
    sign = "-" if number < 0 else ""
    if unit == "money":
        return f"{sign}£{abs(number):,}"
    return f"{sign}{abs(number):,}%" if unit == "rate" else f"{sign}{abs(number):,}"


def _as_numbers(counted: Mapping[Key, Values]) -> dict[Key, Values]:
    return {
        key: tuple(None if value is None else float(str(value)) for value in values)
        for key, values in counted.items()
    }

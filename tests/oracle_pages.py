"""Executive and Sales beside the oracle: tiles, courses, parts, countries, products.

In: a gold file, and the oracle's lines and visits of the same raw input. Out: a verdict for each
part of the pages, over the whole history, its end and its single months, with the period
before and with the largest country alone. Run standalone: `.venv/bin/python -m tests.oracle_run`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from dashboards.periods import Extent, Selection
from dashboards.queries import executive, sales
from lakehouse.duck import open_gold
from tests import oracle
from tests.oracle.pages import Days, Shown, buckets, first_of
from tests.oracle.sales import Key, Values
from tests.oracle_gold import Verdict, verdict

TILES, COURSE, PARTS = "tiles of Executive", "courses of Executive", "parts of Executive"
MONEY, COUNTRIES, BEST = "money over time in Sales", "countries of Sales", "products of Sales"
PAGES = (TILES, COURSE, PARTS, MONEY, COUNTRIES, BEST)
_ENDS = (7, 30, 90)
_KPIS_OF_COURSE = {"now": executive.KPIS, "before": executive.KPIS[:1]}


def compare_pages(
    gold_file: Path, lines: Sequence[oracle.Line], shop: oracle.Visits, *, months: bool = True
) -> Iterator[Verdict]:
    """What both pages show, key by key and both ways, to the last decimal.

    Without `months` only all days and the last ones are asked for.
    """
    expected: dict[str, dict[Key, Values]] = {page: {} for page in PAGES}
    found: dict[str, dict[Key, Values]] = {page: {} for page in PAGES}
    shown = Shown(lines, shop)
    with open_gold(gold_file) as gold:
        extent = sales.extent(gold)
        if extent is None:
            raise ValueError("gold holds no day")
        for chosen in _selections(extent, months=months):
            where = (chosen.start, chosen.end, chosen.countries)
            for page, values in _of_pages(gold, chosen, extent).items():
                found[page] |= {(*where, *key): each for key, each in values.items()}
            for page, values in _of_oracle(shown, chosen, chosen.before(extent)).items():
                expected[page] |= {(*where, *key): each for key, each in values.items()}
    for page in PAGES:
        yield verdict(page, found[page], expected[page])


def _selections(extent: Extent, *, months: bool) -> Iterator[Selection]:
    """All days, the last 7, 30 and 90, each month; and the same of the largest country."""
    spans = [(extent.first_day, extent.last_day)]
    for days in _ENDS:
        start = extent.last_day - timedelta(days=days - 1)
        spans += [(start, extent.last_day)] if start >= extent.first_day else []
    if months:
        spans += buckets((extent.first_day, extent.last_day), "month").values()
    for start, end in dict.fromkeys(spans):
        chosen = Selection(start, end)
        yield chosen
        yield replace(chosen, countries=extent.countries[:1])


def _of_pages(gold: Any, chosen: Selection, extent: Extent) -> dict[str, dict[Key, Values]]:
    overview = executive.read(gold, chosen, extent)
    tiles = {"now": overview.now} | ({"before": overview.before} if overview.before else {})
    courses = {"now": overview.course, "before": overview.earlier_course}
    money = ("gross_revenue", "cancelled_amount", "net_revenue")
    over_time = sales.sales_over_time(gold, chosen)
    countries = sales.sales_by_country(gold, chosen)
    best = sales.top_products(gold, chosen, limit=None)
    return {
        TILES: {(when,): tuple(values.values()) for when, values in tiles.items()},
        COURSE: {
            (when, bucket.first_day): tuple(bucket.values.values())
            for when, course in courses.items()
            for bucket in course
        },
        PARTS: {
            (dimension, part.key): (part.now, part.before)
            for dimension, parts in overview.parts.items()
            for part in parts
        },
        MONEY: _rows(over_time, ("bucket_date", "source_system"), money),
        COUNTRIES: _rows(countries, ("country",), (*money, "order_count")),
        BEST: {
            (row.sku,): (place, row.item_quantity, *(getattr(row, name) for name in money))
            for place, row in enumerate(best.itertuples())
        },
    }


def _of_oracle(
    shown: Shown, chosen: Selection, earlier: Selection | None
) -> dict[str, dict[Key, Values]]:
    country = chosen.countries[0] if chosen.countries else None
    now = (chosen.start, chosen.end)
    before = (earlier.start, earlier.end) if earlier else None
    periods = {"now": now} | ({"before": before} if before else {})
    by_time = shown.money(now, country, lambda line: (_bucket(line, chosen), line.source))
    return {
        TILES: {(when,): shown.tiles(days, country) for when, days in periods.items()},
        COURSE: {
            (when, first): shown.tiles(part, country)[: len(_KPIS_OF_COURSE[when])]
            for when, days in periods.items()
            for first, part in buckets(days, chosen.grain).items()
        },
        PARTS: _parts(shown, now, before, country),
        MONEY: {key: values[1:4] for key, values in by_time.items()},
        COUNTRIES: {
            key: values[1:]
            for key, values in shown.money(now, country, lambda line: (line.country,)).items()
        },
        BEST: shown.best(now, country),
    }


def _parts(shown: Shown, now: Days, before: Days | None, country: str | None) -> dict[Key, Values]:
    found: dict[Key, Values] = {}
    for dimension, field in (("country", "country"), ("product", "sku"), ("source", "source")):
        current, former = (
            shown.parts(days, country, lambda line, field=field: (getattr(line, field),))  # type: ignore[misc]
            if days
            else {}
            for days in (now, before)
        )
        found |= {
            (dimension, *key): (current.get(key, Decimal(0)), former.get(key, Decimal(0)))
            for key in {*current, *former}
        }
    return found


def _bucket(line: oracle.Line, chosen: Selection) -> date:
    return first_of(line.day, chosen.grain)


def _rows(frame: Any, keys: Sequence[str], values: Sequence[str]) -> dict[Key, Values]:
    rows: Iterator[Mapping[str, Any]] = iter(frame.to_dict("records"))
    return {tuple(row[k] for k in keys): tuple(row[v] for v in values) for row in rows}

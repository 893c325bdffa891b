"""The jobs that send the simulated web shop: its days at once, or in real time.

In: a number of days, or a pace. Out: messages in Kafka, each day once by the ledger. Run
standalone: `lake produce shop`, `lake produce live`.
"""

import itertools
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from lakehouse.errors import LakeError
from lakehouse.ledger import chain, produced
from lakehouse.settings import Settings
from storefront.data import embedded_history
from storefront.erp.extract import AS_USUAL, Reading, read_extract
from storefront.simulator.catalog import Catalog, catalog_from
from storefront.simulator.shop import simulate
from streaming.producer import Sent, Source, produce
from streaming.rate_limit import Pace

DEFAULT_SEED = 20_111_210


def send_shop_days(
    days: int,
    *,
    settings: Settings,
    catalog_file: Path | None = None,
    reading: Reading = AS_USUAL,
    seed: int = DEFAULT_SEED,
    on_progress: Callable[[int], None] | None = None,
) -> Sent:
    """Send days of the simulated shop, from the day after the history's last one.

    Args:
        days: How many days the shop shall have been open in all; days sent before are not resent.
        settings: Where the broker and the ledger are.
        catalog_file: ERP extract that names products and customers; default: the embedded one.
        reading: How that file is read.
        seed: Another seed is another shop.
        on_progress: Called with the number of messages sent so far.
    """
    shop = _open_shop(catalog_file, reading, seed=seed)
    records = skipped = 0
    reasons: Counter[str] = Counter()
    for day in range(days):
        sent = shop.send_day(day, settings=settings)
        records, skipped = records + sent.records, skipped + sent.skipped
        reasons.update(sent.reasons)
        if on_progress is not None:
            on_progress(records + skipped)
    return Sent(None, records, skipped, reasons.total(), reasons)


def send_live(
    pace: Pace,
    *,
    settings: Settings,
    catalog_file: Path | None = None,
    reading: Reading = AS_USUAL,
    seed: int = DEFAULT_SEED,
) -> Sent:
    """Send the simulated shop's next days in real time, until the pace is over.

    It begins where the last send of this shop stopped, also in the middle of a day; so does the
    next one.

    Args:
        pace: Messages a second, and how long.
        settings: Where the broker and the ledger are.
        catalog_file: ERP extract that names products and customers; default: the embedded one.
        reading: How that file is read.
        seed: Another seed is another shop.
    """
    shop = _open_shop(catalog_file, reading, seed=seed)
    records = 0
    reasons: Counter[str] = Counter()
    for day in itertools.count(max(0, shop_days_sent(settings, seed=seed) - 1)):
        sent = shop.send_day(day, settings=settings, pace=pace)
        records += sent.records
        reasons.update(sent.reasons)
        if pace.is_over:
            break
    return Sent(None, records, 0, reasons.total(), reasons)


def shop_days_sent(settings: Settings, *, seed: int = DEFAULT_SEED) -> int:
    """How many days of the simulated shop the ledger has as begun."""
    sources = {
        line["source"]
        for line in chain.lines(produced.CHAIN, settings=settings)
        if line["kind"] == "session" and line["source"].startswith(f"web:{seed}:")
    }
    return len(sources)


@dataclass(frozen=True)
class _Shop:
    """The simulated shop of one extract and seed; `key` names it in the ledger."""

    key: str
    seed: int
    catalog: Catalog
    opened_on: date

    def send_day(self, number: int, *, settings: Settings, pace: Pace | None = None) -> Sent:
        """Send a day of its life, the first is 0, where the last send of that day stopped."""
        day = self.opened_on + timedelta(days=number)
        return produce(
            simulate(
                seed=self.seed,
                start_date=day,
                days=1,
                catalog=self.catalog,
                opened_on=self.opened_on,
            ),
            source=Source(f"{self.key}:{day}", f"web shop, {day}"),
            settings=settings,
            pace=pace,
        )


def _open_shop(file: Path | None, reading: Reading, *, seed: int) -> _Shop:
    path = file or embedded_history()
    extract = read_extract(path, reading)
    catalog = catalog_from(extract.rows(), date_order=extract.date_order)
    if catalog.last_day is None:
        raise LakeError(
            f"The simulated shop can't open: {path.name} holds no sale. Send only the extract with "
            "`--sources erp`."
        )
    opened_on = catalog.last_day + timedelta(days=1)
    return _Shop(f"web:{seed}:{extract.key}", seed, catalog, opened_on)

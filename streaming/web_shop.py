"""The jobs that send the simulated web shop: its days at once, or as they happen now.

In: a number of days, or a pace. Out: messages in Kafka, each day once by the ledger. Run
standalone: `lake produce shop`, `lake produce live`.
"""

import itertools
import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path

from lakehouse.contracts.topics import CATALOG_PRODUCTS
from lakehouse.errors import LakeError
from lakehouse.ledger import chain, produced
from lakehouse.settings import Settings
from lakehouse.shop_clock import set_clock
from storefront.data import embedded_history
from storefront.erp.extract import AS_USUAL, Reading, read_extract
from storefront.messages import Message
from storefront.simulator.catalog import Catalog, catalog_from
from storefront.simulator.real_time import in_real_time
from storefront.simulator.shop import simulate
from streaming.producer import Sent, Source, produce
from streaming.rate_limit import Pace

DEFAULT_SEED = 20_111_210
_OPENING = ":opening"
TICK_SECONDS = 0.2
"""The live shop's messages are sent so many seconds' worth at a time."""


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
    """Open the simulated shop now, until the pace is over: each message is of the moment it is due.

    The live shop is a world of its own beside the days that are sent at once, and each opening
    begins a day of it that none has begun, so that no order comes twice. At its first opening the
    shop's clock is set to the day after the last that was sent.

    Args:
        pace: Messages a second, and how long.
        settings: Where the broker and the ledger are.
        catalog_file: ERP extract that names products and customers; default: the embedded one.
        reading: How that file is read.
        seed: Another seed is another shop.
    """
    shop = _open_shop(catalog_file, reading, seed=seed)
    days_sent = shop_days_sent(settings, seed=seed)
    clock = set_clock(shop.opened_on + timedelta(days=days_sent), settings=settings)
    live = replace(shop, key=f"live:{shop.key}", seed=~seed)
    records = 0
    reasons: Counter[str] = Counter()
    opened_at: datetime | None = None
    for day in itertools.count(live.days_begun(settings)):
        announced, trade = _parted(live.messages(day))
        sent = live.announce(day, announced, at=clock.now(), settings=settings)
        if opened_at is None:
            opened_at = clock.now() - timedelta(seconds=pace.tick_seconds)
        dated = in_real_time(
            trade, begins_at=opened_at, per_second=pace.per_second, first=pace.sent
        )
        found = produce(dated, source=live.source(day), settings=settings, pace=pace)
        records += sent.records + found.records
        reasons.update(sent.reasons)
        reasons.update(found.reasons)
        if pace.is_over:
            break
    return Sent(None, records, 0, reasons.total(), reasons)


def _parted(messages: Iterator[Message]) -> tuple[list[Message], Iterator[Message]]:
    """What the catalog announces before anything else of a day, and the rest."""
    announced: list[Message] = []
    for message in messages:
        if message.topic != CATALOG_PRODUCTS.name:
            return announced, itertools.chain([message], messages)
        announced.append(message)
    return announced, messages


def shop_days_sent(settings: Settings, *, seed: int = DEFAULT_SEED) -> int:
    """How many days of the simulated shop the ledger has as begun, those of its live days aside."""
    return len(_sources_sent(f"web:{seed}:", settings=settings))


def _sources_sent(prefix: str, *, settings: Settings) -> set[str]:
    return {
        line["source"]
        for line in chain.lines(produced.CHAIN, settings=settings)
        if line["kind"] == "session" and line["source"].startswith(prefix)
    }


@dataclass(frozen=True)
class _Shop:
    """The simulated shop of one extract and seed; `key` names it in the ledger."""

    key: str
    seed: int
    catalog: Catalog
    opened_on: date

    def send_day(self, number: int, *, settings: Settings) -> Sent:
        """Send a day of its life, the first is 0, where the last send of that day stopped."""
        return produce(self.messages(number), source=self.source(number), settings=settings)

    def announce(
        self, number: int, messages: Iterable[Message], *, at: datetime, settings: Settings
    ) -> Sent:
        """Send what a live day announces at its beginning, at once."""
        dated = in_real_time(messages, begins_at=at, per_second=math.inf)
        source = Source(f"{self.source(number).key}{_OPENING}", "web shop, opening")
        return produce(dated, source=source, settings=settings)

    def messages(self, number: int) -> Iterator[Message]:
        """A day of its life in order of time."""
        return simulate(
            seed=self.seed,
            start_date=self.opened_on + timedelta(days=number),
            days=1,
            catalog=self.catalog,
            opened_on=self.opened_on,
        )

    def source(self, number: int) -> Source:
        """A day's name in the ledger."""
        day = self.opened_on + timedelta(days=number)
        return Source(f"{self.key}:{day}", f"web shop, {day}")

    def days_begun(self, settings: Settings) -> int:
        """How many days, from the first on, the ledger has as begun."""
        sources = _sources_sent(f"{self.key}:", settings=settings)
        return sum(not each.endswith(_OPENING) for each in sources)


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

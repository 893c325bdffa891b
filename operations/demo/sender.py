"""The demo's sender: history and shop days in a process of its own, so that ingest runs beside it.

In: a request. Out: news of its progress, then what was sent. It ends when its parent does.
Only `operations.demo.demo` starts it.
"""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from lakehouse.contracts.topics import DateOrder
from lakehouse.processes.worker import Answer, Tell, Worker, serve
from lakehouse.settings import Settings


@dataclass(frozen=True)
class Feed:
    """What to send: an extract (default: the embedded one), quick or whole, and shop days."""

    file: str | None
    encoding: str
    date_order: DateOrder | None
    quick: bool
    shop_days: int


class Feeder(Worker):
    """The child process, sending from the moment it is made; `answer` tells what was sent."""

    def __init__(self, feed: Feed, *, settings: Settings, on_news: Tell) -> None:
        super().__init__(
            "operations.demo.sender",
            task="sends the demo's records",
            settings=settings,
            log_name="feeder.log",
            on_news=on_news,
        )
        self.send(vars(feed))


def send(feed: Feed, settings: Settings, tell: Tell) -> dict[str, int | str]:
    """Send the feed and tell how far it is.

    Returns:
        Records sent, known from before and refused; and a warning about the extract, or none.
    """
    from storefront.erp.extract import Reading
    from streaming.sources import History, quick_until, send_history

    total: list[int] = []
    path = Path(feed.file) if feed.file else None
    reading = Reading(feed.encoding, feed.date_order)
    history = History(file=path, reading=reading)
    if feed.quick:
        until: date = quick_until(history.path, reading)
        history = History(file=path, reading=reading, date_until=until)
    sent = send_history(
        history,
        settings=settings,
        on_total=total.append,
        on_progress=lambda done: tell({"done": done, "total": total[0], "what": "history"}),
    )
    records, skipped, refused = sent.records, sent.skipped, sent.refused
    # part: simulator
    if feed.shop_days:
        from streaming.web_shop import send_shop_days

        shop = send_shop_days(
            feed.shop_days,
            settings=settings,
            catalog_file=path,
            reading=reading,
            on_progress=lambda done: tell({"done": done, "total": None, "what": "web shop"}),
        )
        records, skipped = records + shop.records, skipped + shop.skipped
        refused += shop.refused
    # end part
    return {"sent": records, "known": skipped, "refused": refused, "warning": sent.warning}


def ready_to_send(tell: Tell) -> Answer:
    """Nothing to warm up. Returns: the function that sends a feed."""
    return lambda feed: send(Feed(**feed), Settings(), tell)


if __name__ == "__main__":
    serve(ready_to_send)

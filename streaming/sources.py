"""The job that sends an ERP extract.

In: a file and a range of days. Out: messages in Kafka, each row once by the ledger. Run
standalone: `lake produce history`.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from lakehouse.errors import LakeError
from lakehouse.settings import Settings
from storefront.data import embedded_history
from storefront.erp.extract import AS_USUAL, Reading, read_extract
from storefront.erp.replay import erp_messages
from streaming.producer import Sent, Source, produce

QUICK_MONTHS = 2


@dataclass(frozen=True)
class History:
    """An ERP extract to send: a file, how it is read, and a range of days, both inclusive."""

    file: Path | None = None
    reading: Reading = AS_USUAL
    date_from: date | None = None
    date_until: date | None = None
    resend: bool = False

    @property
    def path(self) -> Path:
        return self.file or embedded_history()


def send_history(
    history: History,
    *,
    settings: Settings,
    on_total: Callable[[int], None] | None = None,
    on_progress: Callable[[int], None] | None = None,
) -> Sent:
    """Send an extract's rows that the ledger does not have as acknowledged yet.

    Args:
        history: What to send.
        settings: Where the broker and the ledger are.
        on_total: Called with the number of rows of the extract, once it is validated.
        on_progress: Called with the number of rows handled so far.

    Raises:
        LakeError: The file is no sound extract, or the broker went away.
    """
    extract = read_extract(history.path, history.reading)
    if on_total is not None:
        on_total(extract.row_count)
    span = f"{history.date_from or ''}:{history.date_until or ''}"
    sent = produce(
        erp_messages(
            extract,
            extracted_at=datetime.now(UTC),
            date_from=history.date_from,
            date_until=history.date_until,
        ),
        source=Source(f"erp:{extract.key}:{span}", history.path.name),
        settings=settings,
        resend=history.resend,
        on_progress=on_progress,
    )
    return replace(sent, warning=extract.warning)


def quick_until(path: Path, reading: Reading = AS_USUAL) -> date:
    """Last day of an extract's first two months, for a quick look."""
    span = read_extract(path, reading).span
    if span is None:
        raise LakeError(f"{path} holds no readable date.")
    month = span.first.month - 1 + QUICK_MONTHS
    return date(span.first.year + month // 12, month % 12 + 1, 1) - timedelta(days=1)

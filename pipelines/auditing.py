"""The audit of what is in service: lake as it is now, gold as readers see it.

In: settings. Out: the verdict of every equation.
"""

from lakehouse.contracts.tables import TABLES
from lakehouse.duck import current_gold
from lakehouse.errors import LakeError
from lakehouse.settings import Settings
from lakehouse.tables import current_versions
from pipelines import pointer
from quality import batches
from quality.audit import audit
from quality.equations import Equation
from quality.losses import Place, Span


def audit_service(settings: Settings, *, full: bool) -> list[Equation]:
    """Audit the lake and the gold in service.

    Landing and files are judged as they are now; places, money and gold at the versions that gold
    was built from, so that records which arrived since are no difference.

    Raises:
        LakeError: There is nothing to audit yet.
    """
    versions = current_versions(settings)
    if any(table.name not in versions for table in TABLES):
        raise LakeError("There is nothing to audit yet: run ./lake demo.")
    batches.derive(settings)
    last = pointer.last_published(settings)
    gold = current_gold(settings) if pointer.current(settings) else None
    return audit(
        settings,
        versions=versions,
        gold=gold,
        is_published=True,
        full=full,
        since=last.table_versions if last else None,
        gold_versions=pointer.current(settings).get("table_versions"),
        broker_ends=broker_ends(settings),
        missing=missing_records(settings),
    )


def broker_ends(settings: Settings) -> dict[tuple[str, int], int] | None:
    """End offset of each partition that bronze reads; None when no broker answers."""
    from streaming import admin, broker
    from streaming.ingest import subscribed_topics

    status = broker.status(settings)
    if not status.running:
        return None
    return admin.end_offsets(status.bootstrap, subscribed_topics())


def missing_records(settings: Settings) -> dict[Place, Span] | None:
    """Ranges that Kafka deleted before ingest read them; None when no broker answers."""
    from streaming import admin, broker, unread
    from streaming.ingest import subscribed_topics

    status = broker.status(settings)
    if not status.running:
        return None
    begins = admin.first_offsets(status.bootstrap, subscribed_topics())
    return unread.missing_ranges(settings, begins=begins)

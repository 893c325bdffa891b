"""The audit of what is in service: lake as it is now, gold as readers see it.

In: settings. Out: the verdict of every equation.
"""

from lakehouse import pointer
from lakehouse.contracts.tables import TABLES
from lakehouse.errors import LakeError
from lakehouse.ledger import commits
from lakehouse.ledger.losses import Place, Span
from lakehouse.pointer import current_gold
from lakehouse.settings import Settings
from lakehouse.tables import current_versions
from quality.audit.audit import audit
from quality.audit.equation import Equation


def audit_service(settings: Settings, *, full: bool) -> list[Equation]:
    """Audit the lake and the gold in service.

    Landing and files are judged as they are now; places, money and gold at the versions that gold
    was built from, so that records which arrived since are no difference. A table that was rebuilt
    since has no such version: of it, the rows of the records that gold knew are judged.

    Args:
        settings: Where the state lies.
        full: Also read Delta's own checkpoints, which it opens instead of the commits.

    Raises:
        LakeError: There is nothing to audit yet, or a table is gone.
    """
    commits.derive(settings)
    versions = current_versions(settings)
    missing = [table.name for table in TABLES if table.name not in versions]
    known = {line["table"] for line in commits.commits(settings)}
    if gone := [name for name in missing if name in known]:
        raise LakeError(
            f"The table {gone[0]} is gone from this state. `lake repair {gone[0]}` builds a table "
            "of silver from bronze again; bronze comes from a backup."
        )
    if missing:
        raise LakeError("There is nothing to audit yet: run ./lake demo.")
    version = pointer.current(settings)
    built_from = version.part("table_versions") if version else {}
    return audit(
        settings,
        versions=versions,
        gold=current_gold(settings) if version else None,
        is_published=True,
        full=full,
        gold_versions=commits.comparable(built_from, version.part("rebuilt"), settings=settings)
        if version and built_from
        else None,
        broker_ends=broker_ends(settings),
        missing=missing_records(settings),
    )


def broker_ends(settings: Settings) -> dict[tuple[str, int], int] | None:
    """End offset of each partition that bronze reads; None when no broker answers."""
    from lakehouse.contracts.topics import subscribed_topics
    from streaming import broker, kafka_admin

    status = broker.status(settings)
    if not status.running:
        return None
    return kafka_admin.end_offsets(status.bootstrap, subscribed_topics())


def missing_records(settings: Settings) -> dict[Place, Span] | None:
    """Ranges that Kafka deleted before ingest read them; None when no broker answers."""
    from lakehouse.contracts.topics import subscribed_topics
    from streaming import broker, kafka_admin, retention

    status = broker.status(settings)
    if not status.running:
        return None
    begins = kafka_admin.first_offsets(status.bootstrap, subscribed_topics())
    return retention.missing_ranges(settings, begins=begins)

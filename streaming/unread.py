"""What ingest has yet to read, against what Kafka still holds: a loss is seen before it is read.

In: ingest's checkpoint, bronze and a Kafka that answers. Out: ranges of offsets that Kafka deleted
before they were read, and one clear error for them.
"""

import contextlib

from lakehouse.errors import LakeError
from lakehouse.settings import Settings
from quality import losses
from quality.losses import Place, Span
from streaming import admin
from streaming.checkpoints import checkpoint_dir, next_offsets

_INGEST = "ingest"


def missing_ranges(settings: Settings, *, begins: dict[Place, int]) -> dict[Place, Span]:
    """Ranges that Kafka deleted, that bronze lacks, and that nobody gave up yet.

    Args:
        settings: Where the state lies.
        begins: First offset that Kafka still holds, by (topic, partition).
    """
    wanted = losses.first_acknowledged(settings)
    with contextlib.suppress(LakeError):  # a damaged checkpoint says nothing; bronze does
        wanted |= next_offsets(_INGEST, settings=settings)
    for place, end in losses.landed_ends(settings).items():
        wanted[place] = max(end, wanted.get(place, 0))
    for place, spans in losses.accepted(settings).items():
        for first, end in spans:
            if first <= wanted.get(place, 0) < end:
                wanted[place] = end
    return {
        place: (offset, begins[place])
        for place, offset in wanted.items()
        if offset < begins.get(place, 0)
    }


def require_all_held(settings: Settings) -> None:
    """See that Kafka holds every record from ingest's checkpoint on; costs a request to Kafka.

    Raises:
        LakeError: It does not; the message names each range and the command that goes on.
    """
    wanted = next_offsets(_INGEST, settings=settings)
    if not (checkpoint_dir(_INGEST, settings=settings) / "commits").exists():
        wanted = {**losses.first_acknowledged(settings), **wanted}
    if not wanted:
        return
    begins = admin.first_offsets(settings.bootstrap, sorted({topic for topic, _ in wanted}))
    if all(begins.get(place, 0) <= offset for place, offset in wanted.items()):
        return
    missing = missing_ranges(settings, begins=begins)
    if not missing:
        raise LakeError(
            "Kafka no longer holds the records at which ingest's checkpoint goes on, but bronze "
            f"has them, or their loss was accepted: run `lake reset {_INGEST}` to go on after them."
        )
    raise lost_error(missing)


def lost_error(missing: dict[Place, Span]) -> LakeError:
    """The error for records that Kafka deleted before ingest read them."""
    return LakeError(
        f"Kafka no longer holds records that ingest has not read: {losses.in_words(missing)}. "
        "Restore Kafka's data from a backup, or give them up on the record: "
        f"`lake reset {_INGEST} --accept-loss REASON`."
    )

"""Whether Kafka may delete records before ingest reads them: topics whose retention has an end.

In: a Kafka that answers, and what bronze holds. Out: one `Risk` per partition whose oldest unread
record has less than a fifth of its time, or of its topic's bytes, left. Our own broker keeps all
records for ever; another one, or a changed topic, may not. Run standalone: `lake status`.
"""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from time import time
from typing import Any

from lakehouse.errors import LakeError
from lakehouse.ledger import losses
from lakehouse.ledger.losses import Place, Span
from lakehouse.settings import Settings
from lakehouse.shop_format import counted
from streaming import broker, kafka_admin
from streaming.checkpoints import checkpoint_dir, next_offsets

LAST_PART = 0.8
"""From this share of its retention on, an unread record is at risk."""

_KEYS = ("retention.ms", "retention.bytes")
_ANSWER_MILLISECONDS = 5000


@dataclass(frozen=True)
class Risk:
    """A partition whose unread records Kafka may delete soon. `used` is 1 when it may do so now."""

    topic: str
    partition: int
    unread: int
    used: float
    limit: str

    def __str__(self) -> str:
        return (
            f"{counted(self.unread)} records of {self.topic}/{self.partition} are not in bronze "
            f"yet, and the oldest has used {min(self.used, 1):.0%} of its retention, "
            f"{self.limit}: run `lake ingest --once` now, or give the topic a longer one"
        )


def risks(settings: Settings) -> list[Risk]:
    """Partitions at risk, in order; one request more than its topics where all are kept for ever.

    Raises:
        LakeError: Kafka does not answer.
    """
    from lakehouse.contracts.topics import subscribed_topics

    with kafka_admin.connect(settings.bootstrap) as client:
        limits = _limits(client, subscribed_topics())
        if not limits:
            return []
        sizes = _sizes(client)
    begins = kafka_admin.first_offsets(settings.bootstrap, sorted(limits))
    ends = kafka_admin.end_offsets(settings.bootstrap, sorted(limits))
    landed = losses.landed_ends(settings)
    oldest = {
        place: max(landed.get(place, 0), begins[place])
        for place, end in ends.items()
        if max(landed.get(place, 0), begins[place]) < end
    }
    written = _written_at(settings, {place: oldest[place] for place in oldest})
    found = []
    for place, offset in sorted(oldest.items()):
        held = max(ends[place] - begins[place], 1)
        unread_bytes = sizes.get(place, 0) * (ends[place] - offset) / held
        used, limit = _used(limits[place[0]], written.get(place), unread_bytes)
        if used >= LAST_PART:
            found.append(Risk(*place, unread=ends[place] - offset, used=used, limit=limit))
    return found


def warnings(settings: Settings) -> list[str]:
    """Risks in words; none where no Kafka answers, or where it keeps its settings to itself."""
    with contextlib.suppress(LakeError):
        if broker.status(settings).running:
            return [str(risk) for risk in risks(settings)]
    return []


def _used(
    limits: Mapping[str, int], written_at: float | None, unread_bytes: float
) -> tuple[float, str]:
    """The larger share of a topic's limits that its oldest unread record has used."""
    shares = [(0.0, "retention")]
    if "retention.ms" in limits and written_at is not None:
        hours = limits["retention.ms"] / 3_600_000
        shares.append(((time() - written_at) / 3600 / max(hours, 1e-9), f"{hours:.6g} hours"))
    if "retention.bytes" in limits:
        size = limits["retention.bytes"]
        shares.append((unread_bytes / max(size, 1), f"{size / 1024**2:.6g} MB"))
    return max(shares)


def _limits(client: Any, topics: Sequence[str]) -> dict[str, dict[str, int]]:
    """Limits in milliseconds and bytes by topic, of the topics that have one."""
    from kafka.admin import ConfigResource, ConfigResourceType

    known = kafka_admin.partition_counts(client)
    asked = [
        ConfigResource(ConfigResourceType.TOPIC, name, dict.fromkeys(_KEYS))
        for name in topics
        if name in known
    ]
    if not asked:
        return {}
    answer = client.describe_configs(asked, config_filter="all")["topic"]
    found = {
        name: {key: int(facts[key]["value"]) for key in _KEYS if key in facts}
        for name, facts in answer.items()
    }
    ended = {
        name: {key: value for key, value in limits.items() if value >= 0}
        for name, limits in found.items()
    }
    return {name: limits for name, limits in ended.items() if limits}


def _sizes(client: Any) -> dict[Place, int]:
    """Bytes of each partition on its largest replica."""
    found: dict[Place, int] = {}
    for topic, partition in _log_parts(client):
        place = (topic, partition["partition_index"])
        found[place] = max(found.get(place, 0), partition["partition_size"])
    return found


def _log_parts(client: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for node in client.describe_log_dirs():
        for folder in node["log_dirs"]:
            for topic in folder["topics"]:
                for partition in topic["partitions"]:
                    yield topic["name"], partition


def _written_at(settings: Settings, offsets: Mapping[Place, int]) -> dict[Place, float]:
    """Second in which Kafka took the first record at or after each offset."""
    from kafka import KafkaConsumer, TopicPartition

    found: dict[Place, float] = {}
    with contextlib.closing(
        KafkaConsumer(
            bootstrap_servers=settings.bootstrap,
            client_id="cartlake-retention",
            enable_auto_commit=False,
            max_partition_fetch_bytes=64 * 1024,
        )
    ) as consumer:
        for (topic, partition), offset in offsets.items():
            place = TopicPartition(topic, partition)
            consumer.assign([place])
            consumer.seek(place, offset)
            answer = consumer.poll(timeout_ms=_ANSWER_MILLISECONDS, max_records=1)
            for record in answer.get(place, ()):
                found[topic, partition] = record.timestamp / 1000
    return found


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
    begins = kafka_admin.first_offsets(settings.bootstrap, sorted({topic for topic, _ in wanted}))
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

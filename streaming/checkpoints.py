"""What a streaming query's checkpoint says: its own id, and the offsets of each batch.

In: a checkpoint folder. Out: the id that makes its writes idempotent, and offset ranges for the
commit's facts. A missing or damaged file is named, with the command that mends it.
"""

import json
from pathlib import Path

from lakehouse.errors import LakeError
from lakehouse.settings import Settings

Ranges = dict[str, dict[str, tuple[int, int]]]
"""topic -> partition -> (first offset, end offset exclusive)."""


def checkpoint_dir(query: str, *, settings: Settings) -> Path:
    """Folder of a query's checkpoint."""
    return settings.checkpoints_dir / query


def app_id(query: str, *, settings: Settings) -> str:
    """The checkpoint's own id, made by Spark when the checkpoint was.

    A constant would make Delta skip the batches of a new checkpoint as if they were old ones.
    """
    path = checkpoint_dir(query, settings=settings) / "metadata"
    return str(_json_of(path, query=query)["id"])


def kafka_ranges(query: str, batch_id: int, *, settings: Settings) -> Ranges:
    """Offset ranges of one batch of a query that reads Kafka; partitions without news left out."""
    folder = checkpoint_dir(query, settings=settings)
    until = _offsets(folder / "offsets" / str(batch_id), query=query)
    if batch_id > 0:
        since = _offsets(folder / "offsets" / str(batch_id - 1), query=query)
    else:
        since = _initial(folder / "sources" / "0" / "0", query=query)
    ranges: Ranges = {}
    for topic, partitions in sorted(until.items()):
        for partition, end in sorted(partitions.items(), key=lambda each: int(each[0])):
            start = since.get(topic, {}).get(partition, 0)
            if end > start:
                ranges.setdefault(topic, {})[partition] = (start, end)
    return ranges


def next_offsets(query: str, *, settings: Settings) -> dict[tuple[str, int], int]:
    """Offset per (topic, partition) at which a query that reads Kafka goes on.

    That is after its last finished batch, or where its first one begins; empty before that is
    settled.

    Raises:
        LakeError: A file of the checkpoint is damaged.
    """
    folder = checkpoint_dir(query, settings=settings)
    finished = [int(each.name) for each in (folder / "commits").glob("*") if each.name.isdigit()]
    first, noted = folder / "sources" / "0" / "0", start_file(query, settings=settings)
    if finished:
        found = _offsets(folder / "offsets" / str(max(finished)), query=query)
    elif first.exists():
        found = _initial(first, query=query)
    else:
        found = _json_of(noted, query=query) if noted.exists() else {}
    return {
        (topic, int(partition)): offset
        for topic, partitions in found.items()
        for partition, offset in partitions.items()
    }


def _offsets(path: Path, *, query: str) -> dict[str, dict[str, int]]:
    lines = _read(path, query=query).splitlines()
    found = _parsed(lines[-1] if lines else "", path=path, query=query)
    if not all(isinstance(partitions, dict) for partitions in found.values()):
        raise _damaged(path, query=query)
    return found


def _initial(path: Path, *, query: str) -> dict[str, dict[str, int]]:
    text = _read(path, query=query)
    return _parsed(text[text.find("{") :], path=path, query=query)


def _json_of(path: Path, *, query: str) -> dict[str, dict[str, int]]:
    return _parsed(_read(path, query=query), path=path, query=query)


def _read(path: Path, *, query: str) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise _damaged(path, query=query) from error


def _parsed(text: str, *, path: Path, query: str) -> dict[str, dict[str, int]]:
    try:
        found = json.loads(text)
    except ValueError as error:
        raise _damaged(path, query=query) from error
    if not isinstance(found, dict):
        raise _damaged(path, query=query)
    return found


def _damaged(path: Path, *, query: str) -> LakeError:
    return LakeError(
        f"The checkpoint file {path} is missing or damaged. Nothing is lost: "
        f"run `lake reset {query}`, which reads on without losing or doubling a record."
    )


def start_file(query: str, *, settings: Settings) -> Path:
    """Where a reset notes the offsets at which a query's next checkpoint begins."""
    return settings.checkpoints_dir / f"{query}.start.json"

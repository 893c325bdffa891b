"""What a streaming query's checkpoint says: its own id, and the offsets of each batch.

In: a checkpoint folder. Out: the id that makes its writes idempotent, and offset ranges for the
commit's facts. A missing or damaged file is named, with the fix.
"""

import contextlib
import json
import zlib
from pathlib import Path

from lakehouse.errors import LakeError
from lakehouse.ledger import chain, commits
from lakehouse.settings import Settings

_PART = 512
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
    finished = _numbers(folder / "commits")
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


def next_version(query: str, *, settings: Settings) -> int:
    """Version of its table at which a query goes on after its last finished batch; 0 before one.

    Raises:
        LakeError: A file of the checkpoint is damaged.
    """
    folder = checkpoint_dir(query, settings=settings)
    finished = _numbers(folder / "commits")
    if not finished:
        return 0
    path = folder / "offsets" / str(max(finished))
    lines = _read(path, query=query).splitlines()
    return int(str(_parsed(lines[-1], path=path, query=query)["reservoirVersion"]))


def version_read(query: str, *, settings: Settings) -> int | None:
    """Newest version of its table that a query has read to its end, while no batch is at work.

    The last batch may be written and not yet noted by Spark, so the commits count too.

    Returns:
        The version; null before the first batch, and where the last one ended inside a version.

    Raises:
        LakeError: A file of the checkpoint is damaged.
    """
    folder = checkpoint_dir(query, settings=settings)
    if not (folder / "metadata").exists():
        return None
    written = _last_written(app_id(query, settings=settings), settings=settings)
    batch = max([written, *_numbers(folder / "commits")])
    if batch < 0:
        return None
    path = folder / "offsets" / str(batch)
    found = _parsed(_read(path, query=query).splitlines()[-1], path=path, query=query)
    version, index = int(str(found["reservoirVersion"])), int(str(found["index"]))
    return version - 1 if index < 0 else None


def require_present(query: str, *, layer: str, settings: Settings) -> None:
    """Refuse to start a checkpoint again without a reset, when `layer` has this query's rows.

    Raises:
        LakeError: The checkpoint is gone; the message names its first file and the command.
    """
    metadata = checkpoint_dir(query, settings=settings) / "metadata"
    if not metadata.exists() and not start_file(query, settings=settings).exists():
        raise LakeError(
            f"The checkpoint file {metadata} is missing, though {layer} has rows. Run "
            f"`lake reset {query}`, which reads on without losing or doubling a record."
        )


def require_sound(query: str, *, settings: Settings) -> None:
    """Check what a query's next start reads; nothing to check in a checkpoint that is not there.

    Raises:
        LakeError: A file is damaged or missing, or the checkpoint is older than what its query has
            written: Delta would skip the batches that it numbers again, and their records be lost.
    """
    folder = checkpoint_dir(query, settings=settings)
    if not (folder / "metadata").exists():
        return
    own_id = app_id(query, settings=settings)
    first = folder / "sources" / "0" / "0"
    if first.exists():
        _initial(first, query=query)
    begun, finished = _numbers(folder / "offsets"), _numbers(folder / "commits")
    for part, numbers, least in (("offsets", begun, 3), ("commits", finished, 2)):
        for number in numbers[-2:]:
            _require_whole(folder / part / str(number), least=least, query=query)
    written = _last_written(own_id, settings=settings)
    newest = max([*finished[-1:], written])
    if newest > max(begun[-1:], default=-1):
        raise _damaged(folder / "offsets" / str(newest), query=query)


def _numbers(folder: Path) -> list[int]:
    return sorted(int(each.name) for each in folder.glob("*") if each.name.isdigit())


def _require_whole(path: Path, *, least: int, query: str) -> None:
    """A file of Spark's log of batches: its version, then JSON a line, or "-" for nothing."""
    version, *lines = _read(path, query=query).splitlines() or [""]
    if not version.startswith("v") or len(lines) < least - 1:
        raise _damaged(path, query=query)
    for line in lines:
        if line != "-":
            _parsed(line, path=path, query=query)


def _last_written(own_id: str, *, settings: Settings) -> int:
    """Number of the last batch that a checkpoint's query has written, by the commits; or -1."""
    commits.derive(settings)
    lines = chain.lines(commits.CHAIN, settings=settings)
    return max((line["batch_id"] for line in lines if line.get("app_id") == own_id), default=-1)


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
        content = path.read_bytes()
        text = content.decode()
    except (OSError, UnicodeDecodeError) as error:
        raise _damaged(path, query=query) from error
    if not _is_as_written(path, content):
        raise _damaged(path, query=query)
    return text


def seal(query: str, *, settings: Settings) -> None:
    """Keep a checksum beside each file of a checkpoint that has none, and drop those of no file.

    A digit flipped in an offset still is JSON, and Spark would read on at another record. Spark's
    file system writes no checksums of its own, since it would start two processes for each.
    """
    folder = checkpoint_dir(query, settings=settings)
    for part in (folder, folder / "offsets", folder / "commits", folder / "sources" / "0"):
        names = {each.name for each in part.glob("*") if each.is_file()}
        beside = {name for name in names if name.startswith(".") and name.endswith(".crc")}
        sealed = {name[1:-4] for name in beside}
        for name in sealed - names:
            (part / f".{name}.crc").unlink(missing_ok=True)
        for name in names - beside - sealed:
            if name.isdigit() or name == "metadata":
                with contextlib.suppress(FileNotFoundError):  # Spark drops old ones meanwhile
                    _beside(part / name).write_bytes(_checksums((part / name).read_bytes()))


def _is_as_written(path: Path, content: bytes) -> bool:
    """Compare with the checksums beside a file; true where there are none."""
    try:
        return _beside(path).read_bytes() == _checksums(content)
    except FileNotFoundError:
        return True


def _beside(path: Path) -> Path:
    return path.with_name(f".{path.name}.crc")


def _checksums(content: bytes) -> bytes:
    """Checksums in the form of Hadoop's local file system, for parts of 512 bytes."""
    parts = (content[start : start + _PART] for start in range(0, len(content), _PART))
    sums = b"".join(zlib.crc32(part).to_bytes(4) for part in parts)
    return b"crc\0" + _PART.to_bytes(4) + sums


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

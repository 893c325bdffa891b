"""The gold version in service: one shared read-only handle per version, swapped at a publish.

In: `<LAKE_HOME>/gold/CURRENT`. Out: readers, each with a cursor of its own and its version.
A reader under way keeps its version; an old handle is closed when its last reader is done, so no
file stays locked and no publish waits.
"""

import contextlib
import threading
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from lakehouse.duck import open_gold
from lakehouse.errors import LakeError
from lakehouse.pointer import Version, in_service
from lakehouse.settings import Settings

if TYPE_CHECKING:
    import duckdb

T = TypeVar("T")
_MOST_ANSWERS = 256
_THREADS = 1
"""Of a query: many short ones come at once, and each costs a third more when it is spread."""


@dataclass(frozen=True)
class Reader:
    """A cursor for one request, and the version that it reads."""

    version: Version
    cursor: "duckdb.DuckDBPyConnection"
    answers: dict[Hashable, Any] = field(default_factory=dict)

    def once(self, key: Hashable, make: Callable[[], T]) -> T:
        """What `make` gives for this version, made once for all readers of it."""
        if key not in self.answers:
            if len(self.answers) >= _MOST_ANSWERS:
                self.answers.clear()
            self.answers[key] = make()
        found: T = self.answers[key]
        return found


@dataclass
class _Handle:
    version: Version
    connection: "duckdb.DuckDBPyConnection"
    reader_count: int = 0
    answers: dict[Hashable, Any] = field(default_factory=dict)


class PublishedGold:
    """Hands out readers on the version in service; safe to share between threads."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._lock = threading.Lock()
        self._handle: _Handle | None = None

    @contextlib.contextmanager
    def reader(self) -> Iterator[Reader]:
        """A reader on the version in service; every query of it sees that one version.

        Raises:
            NothingPublished: No version has been published yet.
            LakeError: The pointer or its file is damaged.
        """
        handle = self._take()
        try:
            cursor = handle.connection.cursor()
            try:
                yield Reader(handle.version, cursor, handle.answers)
            finally:
                cursor.close()
        finally:
            self._give_back(handle)

    def close(self) -> None:
        """Close the handle once nobody reads; a later reader opens it again."""
        with self._lock:
            old, self._handle = self._handle, None
            if old is not None and not old.reader_count:
                old.connection.close()

    def _take(self) -> _Handle:
        with self._lock:
            version = in_service(self.settings)
            if self._handle is None or self._handle.version != version:
                fresh = self._open(version)
                old, self._handle = self._handle, fresh
                if old is not None and not old.reader_count:
                    old.connection.close()
            self._handle.reader_count += 1
            return self._handle

    def _open(self, version: Version) -> _Handle:
        """A handle on the version, or on the one that replaced it before its file was opened."""
        while True:
            try:
                return _Handle(version, open_gold(version.path, threads=_THREADS))
            except LakeError:
                newer = in_service(self.settings)
                if newer == version:
                    raise
                version = newer

    def _give_back(self, handle: _Handle) -> None:
        with self._lock:
            handle.reader_count -= 1
            if handle is not self._handle and not handle.reader_count:
                handle.connection.close()

"""The only package that names Delta: creates, reads and writes the lake's tables exactly once.

In: a table contract. Out: frames, commits, versions. What it offers is listed in `__all__`; the
modules behind it (`log`, `creation`, `reading`, `writing`) are its own affair.
"""

from lakehouse.tables.creation import create_tables
from lakehouse.tables.log import (
    current_version,
    current_versions,
    location,
    log_files,
    version_of,
)
from lakehouse.tables.reading import read, read_stream
from lakehouse.tables.writing import Transaction, append, merge, replace, writer_of

__all__ = [
    "Transaction",
    "append",
    "create_tables",
    "current_version",
    "current_versions",
    "location",
    "log_files",
    "merge",
    "read",
    "read_stream",
    "replace",
    "version_of",
    "writer_of",
]

"""The only package that names Delta: creates, reads and writes the lake's tables exactly once.

In: a table contract. Out: frames, commits, versions. What it offers is listed in `__all__`; the
modules behind it are its own affair.
"""

from lakehouse.tables.changed_files import ChangedFiles, changed_files
from lakehouse.tables.creation import (
    create_table,
    create_tables,
    extend_tables,
    forget_tables,
    put_aside,
)
from lakehouse.tables.log import (
    commit_seconds,
    current_version,
    current_versions,
    location,
    log_files,
    version_of,
)
from lakehouse.tables.maintenance import (
    LEAST_HOURS,
    Survey,
    compact,
    require_retention,
    survey,
    vacuum,
)
from lakehouse.tables.reading import engine_errors, read, read_stream
from lakehouse.tables.rows import append_rows, live_files, merge_rows, replace_rows
from lakehouse.tables.schema import columns_due, held_columns
from lakehouse.tables.writing import Transaction, writer_of

__all__ = [
    "LEAST_HOURS",
    "ChangedFiles",
    "Survey",
    "Transaction",
    "append_rows",
    "changed_files",
    "columns_due",
    "commit_seconds",
    "compact",
    "create_table",
    "create_tables",
    "current_version",
    "current_versions",
    "engine_errors",
    "extend_tables",
    "forget_tables",
    "held_columns",
    "live_files",
    "location",
    "log_files",
    "merge_rows",
    "put_aside",
    "read",
    "read_stream",
    "replace_rows",
    "require_retention",
    "survey",
    "vacuum",
    "version_of",
    "writer_of",
]

"""Arrow rows -> Delta tables by delta-rs, without a JVM: each write one commit, exactly once.

In: a stream of Arrow batches and a table contract. Out: one commit per write, as those of
`writing`: rows, the app transaction and the facts for the ledger. Also the live files of a table
whose statistics do not exclude what is looked for.
"""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from lakehouse.contracts.tables import Table
from lakehouse.settings import Settings
from lakehouse.tables.log import location
from lakehouse.tables.writing import Transaction, facts_of, naming_errors, writer_of

if TYPE_CHECKING:
    import pyarrow as pa
    from deltalake import DeltaTable

ROW_GROUP = 1 << 16
"""Rows of a Parquet row group: rows are sorted, so that a look-up reads few groups of a file."""


def open_table(table: Table, *, settings: Settings) -> "DeltaTable":
    """A table at its newest version."""
    from deltalake import DeltaTable

    return DeltaTable(location(table, settings=settings))


def live_files(table: Table, *, settings: Settings) -> "pa.Table":
    """Live data files of a table: `path`, and `min.X` and `max.X` of every column X.

    Null where Delta keeps no statistics of a column, or a commit has none.
    """
    import pyarrow as pa

    from lakehouse.contracts.arrow import arrow_type

    files = pa.table(open_table(table, settings=settings).get_add_actions(flatten=True))
    base = location(table, settings=settings)
    columns = {"path": pa.array([f"{base}/{path}" for path in files["path"].to_pylist()])}
    for column in table.columns:
        for name in (f"min.{column.name}", f"max.{column.name}"):
            nulls = pa.nulls(files.num_rows, arrow_type(column))
            columns[name] = files[name] if name in files.column_names else nulls
    return pa.table(columns)


def append_rows(
    rows: "pa.RecordBatchReader",
    table: Table,
    *,
    settings: Settings,
    transaction: Transaction,
    metadata: Mapping[str, object],
) -> None:
    """Append rows in one commit, nothing where this transaction's has landed before.

    Args:
        rows: Every column of the contract, in its order.
        table: Where to.
        settings: Where the state lies.
        transaction: App id of the checkpoint and batch id.
        metadata: Facts for the ledger: offset ranges, rows, money.
    """
    from deltalake import write_deltalake

    with writer_of(table, settings=settings), naming_errors(table, settings=settings):
        target = open_table(table, settings=settings)
        if not _has_landed(target, table, transaction):
            write_deltalake(target, rows, mode="append", **terms_of(table, transaction, metadata))


def merge_rows(
    rows: "pa.RecordBatchReader",
    table: Table,
    *,
    settings: Settings,
    transaction: Transaction,
    metadata: Mapping[str, object],
    delete_when: str = "false",
) -> None:
    """Update rows of equal key, insert the others, in one commit.

    Args:
        rows: Every column of the contract, at most one row per key, plus what `delete_when` reads.
        table: Where to; its partition column is part of the match.
        settings: Where the state lies.
        transaction: App id of the checkpoint and batch id.
        metadata: Facts for the ledger.
        delete_when: SQL condition on `new.*` of rows whose match is deleted instead.
    """
    keys = [*table.key, *([table.partition_by] if table.partition_by else [])]
    match = " and ".join(f'old."{key}" = new."{key}"' for key in keys)
    values = {f'"{name}"': f'new."{name}"' for name in table.column_names()}
    with writer_of(table, settings=settings), naming_errors(table, settings=settings):
        target = open_table(table, settings=settings)
        if _has_landed(target, table, transaction):
            return
        (
            target.merge(
                rows,
                match,
                source_alias="new",
                target_alias="old",
                **terms_of(table, transaction, metadata),
            )
            .when_matched_delete(delete_when)
            .when_matched_update(values)
            .when_not_matched_insert(values, predicate=f"not ({delete_when})")
            .execute()
        )


def replace_rows(
    rows: "pa.RecordBatchReader",
    table: Table,
    *,
    settings: Settings,
    where: str,
    metadata: Mapping[str, object],
) -> None:
    """Replace the rows that `where` selects ("true": all) by rows, each of which it must select."""
    from deltalake import write_deltalake

    with writer_of(table, settings=settings), naming_errors(table, settings=settings):
        target = open_table(table, settings=settings)
        predicate = None if where == "true" else where
        write_deltalake(
            target, rows, mode="overwrite", predicate=predicate, **terms_of(table, None, metadata)
        )


def _has_landed(target: "DeltaTable", table: Table, transaction: Transaction) -> bool:
    landed = target.transaction_version(transaction.for_table(table))
    return landed is not None and landed >= transaction.version


def terms_of(
    table: Table, transaction: Transaction | None, metadata: Mapping[str, object]
) -> dict[str, Any]:
    """What every write of ours says: its facts, its transaction, and the form of its files."""
    from deltalake import CommitProperties, PostCommitHookProperties, WriterProperties
    from deltalake import Transaction as AppTransaction

    if transaction is None:
        marks, text = None, json.dumps(metadata, sort_keys=True)
    else:
        marks = [AppTransaction(transaction.for_table(table), transaction.version)]
        text = facts_of(metadata, transaction)
    return {
        "commit_properties": CommitProperties(
            custom_metadata={"userMetadata": text}, app_transactions=marks
        ),
        # The ledger is derived from the commits: none may go.
        "post_commithook_properties": PostCommitHookProperties(cleanup_expired_logs=False),
        "writer_properties": WriterProperties(compression="ZSTD", max_row_group_size=ROW_GROUP),
    }

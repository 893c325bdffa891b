"""The only `duckdb.connect` of the platform: published gold for readers, the lake for ourselves.

In: the pointer `gold/CURRENT`, or pinned Delta tables. Out: a DuckDB connection in UTC that needs
no network. Run standalone: `lake query "select ..."` opens gold through it.
"""

import shutil
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lakehouse.contracts import table as contract_of
from lakehouse.contracts.tables import Column, Table
from lakehouse.errors import CheckFailed, LakeError
from lakehouse.pointer import current_gold
from lakehouse.settings import Settings
from lakehouse.state import claim
from lakehouse.tables import location

if TYPE_CHECKING:
    import duckdb

_SCHEMAS = ("gold.", "intermediate.")
_HELD = "Could not set lock"
_OFFLINE = {"autoinstall_known_extensions": False, "autoload_known_extensions": False}
# Connections of one process to one file share an instance, and a locked one takes no setting.
_opening = threading.Lock()


def open_gold(
    source: Settings | Path, *, threads: int | None = None
) -> "duckdb.DuckDBPyConnection":
    """Open gold read-only, in UTC, unable to read any other file or to change its settings.

    Args:
        source: Settings for the published version, or the path of one version's file.
        threads: Threads of all connections of this process to that file; None for one a core.

    Raises:
        LakeError: Nothing is published yet, or the file cannot be opened.
    """
    import duckdb

    if isinstance(source, Settings):
        return _follow_pointer(source)
    path = source
    if not path.is_file():
        raise LakeError(f"There is no gold file {path}.")
    with _opening:
        try:
            connection = _connect_read_only(path)
        except duckdb.IOException as error:
            if _HELD not in str(error):
                raise LakeError(f"Gold {path} cannot be opened: {first_line(error)}.") from error
            connection = _copy_of(path, holder=first_line(error))
        except duckdb.Error as error:
            raise LakeError(f"Gold {path} cannot be opened: {first_line(error)}.") from error
        locked = connection.execute("select current_setting('lock_configuration')").fetchone()
        if locked != (True,):
            connection.execute("set global TimeZone = 'UTC'")
            if threads is not None:
                connection.execute(f"set global threads = {threads}")
            connection.execute("set lock_configuration = true")
    return connection


def _connect_read_only(path: Path) -> "duckdb.DuckDBPyConnection":
    import duckdb

    return duckdb.connect(
        str(path), read_only=True, config={"enable_external_access": False, **_OFFLINE}
    )


def _copy_of(path: Path, *, holder: str) -> "duckdb.DuckDBPyConnection":
    """Open a copy of gold that another program holds open for writing; it is gone when closed."""
    try:
        with tempfile.NamedTemporaryFile(prefix="cartlake-", suffix=".duckdb") as copy:
            shutil.copyfile(path, copy.name)
            return _connect_read_only(Path(copy.name))
    except OSError as error:
        raise LakeError(
            f"Another program has gold open for writing ({holder}), and it can't be copied "
            f"({error.strerror}). Close {path} there, or open it read-only."
        ) from error


def _follow_pointer(settings: Settings) -> "duckdb.DuckDBPyConnection":
    """Gold in service; a reader that publishes overtook before it opened its file follows them."""
    path = current_gold(settings)
    while True:
        try:
            return open_gold(path)
        except LakeError:
            newer = current_gold(settings)
            if newer == path:
                raise
            path = newer


def open_lake(settings: Settings, *, reads_delta: bool = True) -> "duckdb.DuckDBPyConnection":
    """Open an in-memory database in UTC that reads Delta tables, for our own processes only.

    Loading Delta costs more than a small query: `reads_delta` false leaves it out.

    Raises:
        LakeError: The Delta extension of the installed wheel does not fit.
    """
    import duckdb

    scratch = scratch_dir(settings)
    connection = duckdb.connect(
        ":memory:",
        config={
            **_OFFLINE,
            "extension_directory": str(scratch / "extensions"),
            "temp_directory": str(scratch / "spill"),
        },
    )
    try:
        if reads_delta:
            connection.execute(f"load {_literal(str(delta_extension()))}")
        connection.execute("set global TimeZone = 'UTC'")
    except duckdb.Error as error:
        connection.close()
        raise LakeError(f"DuckDB cannot load Delta: {first_line(error)}. Run uv sync.") from error
    return connection


def open_memory() -> "duckdb.DuckDBPyConnection":
    """Open an empty in-memory database in UTC that keeps nothing, for invented data."""
    import duckdb

    connection = duckdb.connect(":memory:", config=dict(_OFFLINE))
    connection.execute("set global TimeZone = 'UTC'")
    return connection


def delta_relation(settings: Settings, table: Table | str, *, version: int | None = None) -> str:
    """SQL text that reads a Delta table, at one version when it is given.

    Args:
        settings: Where the tables lie.
        table: A contract, or the name of one, e.g. of `lakehouse.contracts.tables.ORDER_LINES`.
        version: Delta version to pin; the newest otherwise.

    Raises:
        KeyError: No contract has this name.
    """
    contract = contract_of(table) if isinstance(table, str) else table
    place = _place(contract, settings=settings)
    pin = "" if version is None else f", version={int(version)}"
    return f"delta_scan({place}{pin})"


def attached_delta(settings: Settings, table_name: str, *, version: int) -> tuple[str, str]:
    """Open a Delta table at a version for many reads; each `delta_scan` reads its whole log again.

    Returns:
        The statement that attaches the table, and the SQL text that then reads it.

    Raises:
        KeyError: No contract has this name.
    """
    table = contract_of(table_name)
    place, name = _place(table, settings=settings), f"delta_{table.flat_name}"
    how = f"(type delta, version {int(version)}, pin_snapshot)"
    return f"attach {place} as {name} {how}", name


def duck_type(column: Column) -> str:
    """DuckDB's name for the type of a contract's column."""
    types = {"string": "varchar", "timestamp": "timestamptz", "binary": "blob"}
    return types.get(column.type, column.type)


def files_relation(paths: Sequence[Path], table: Table) -> str:
    """SQL text that reads data files of a table, without its partition column; no row for none.

    A column that no file holds yet, because the contract gained it later, is null.
    """
    columns = [each for each in table.columns if each.name != table.partition_by]
    nulls = (f"cast(null as {duck_type(each)}) as {quoted(each.name)}" for each in columns)
    empty = f"select {', '.join(nulls)} where false"
    if not paths:
        return f"({empty})"
    names = ", ".join(quoted(each.name) for each in columns)
    files = ", ".join(_literal(str(path)) for path in paths)
    parquet = f"read_parquet([{files}], hive_partitioning=false, union_by_name=true)"
    return f"(select {names} from ({empty} union all by name select * from {parquet}))"


def delta_extension() -> Path:
    """The Delta extension's file inside the installed wheel; nothing is downloaded.

    Raises:
        LakeError: The wheel holds none for the installed DuckDB.
    """
    import duckdb
    import duckdb_extension_delta

    folder = Path(duckdb_extension_delta.__file__).parent / "extensions" / f"v{duckdb.__version__}"
    path = folder / "delta.duckdb_extension"
    if not path.is_file():
        raise LakeError(
            f"duckdb-extension-delta holds no extension for DuckDB {duckdb.__version__}: run uv "
            "sync, both must have the same version."
        )
    return path


def scratch_dir(settings: Settings) -> Path:
    """Folder for what DuckDB spills or unpacks; its content may be deleted at any time."""
    claim(settings)
    path = settings.home / "duckdb"
    path.mkdir(parents=True, exist_ok=True)
    return path


def seal(path: Path) -> dict[str, int]:
    """Write everything into the file itself, close it, and count its gold tables.

    A file copied without its write-ahead log loses committed rows without an error, so a file must
    be sealed before it is published. Beside `gold`, schema `intermediate` holds what the next
    incremental build reads.

    Returns:
        Rows of each table of schema `gold`, by name.

    Raises:
        CheckFailed: A write-ahead log is left, or something else than a table lies in the file.
    """
    import duckdb

    with _opening, duckdb.connect(str(path), config=dict(_OFFLINE)) as connection:
        connection.execute("force checkpoint")
        names = connection.execute(
            "select table_schema || '.' || table_name, table_type = 'BASE TABLE' "
            "from information_schema.tables order by all"
        ).fetchall()
        known = [name for name, is_table in names if is_table and name.startswith(_SCHEMAS)]
        strays = [name for name, _ in names if name not in known]
        tables = [name.removeprefix("gold.") for name in known if name.startswith("gold.")]
        if strays:
            raise CheckFailed(f"{path} holds more than gold tables: {', '.join(strays)}.")
        rows = {name: connection.table(f"gold.{quoted(name)}").shape[0] for name in tables}
    if path.with_name(path.name + ".wal").exists():
        raise CheckFailed(f"{path} still has a write-ahead log and must not be published.")
    return rows


def first_line(error: BaseException) -> str:
    """The first line of an engine's message, without its closing full stop."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")


def _place(table: Table, *, settings: Settings) -> str:
    """Where a table lies, as a URI: given a path, the extension loses letters beyond ASCII."""
    place = location(table, settings=settings)
    return _literal(place if "://" in place else Path(place).as_uri())


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def quoted(text: str) -> str:
    """A name as SQL text, whatever characters it has."""
    return '"' + text.replace('"', '""') + '"'

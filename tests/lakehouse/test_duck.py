import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pytest

from lakehouse.contracts.tables import PRODUCTS
from lakehouse.duck import (
    attached_delta,
    delta_extension,
    delta_relation,
    open_gold,
    open_lake,
    seal,
)
from lakehouse.errors import CheckFailed, LakeError
from lakehouse.pointer import current_gold
from lakehouse.settings import Settings
from tests.gold_files import serve_gold
from tests.silver_commits import commit


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "it's state")


def publish(settings: Settings, name: str, *, value: int) -> None:
    serve_gold(settings, f"create table gold.answers as select {value} as answer", file=name)


def test_open_gold_reads_the_version_that_the_pointer_names(settings: Settings) -> None:
    publish(settings, "gold-1.duckdb", value=1)
    with open_gold(settings) as first:
        publish(settings, "gold-2.duckdb", value=2)
        with open_gold(settings) as second:
            assert first.execute("select * from gold.answers").fetchall() == [(1,)]
            assert second.execute("select * from gold.answers").fetchall() == [(2,)]


def test_two_connections_to_one_version_live_side_by_side_in_utc(settings: Settings) -> None:
    publish(settings, "gold-1.duckdb", value=1)
    with open_gold(settings) as first, open_gold(settings.gold_dir / "gold-1.duckdb") as second:
        for connection in (first, second, second.cursor()):
            assert connection.execute(
                "select answer, cast(timestamptz '2011-07-01 00:30:00+01' as varchar) "
                "from gold.answers"
            ).fetchall() == [(1, "2011-06-30 23:30:00+00")]


@pytest.mark.parametrize(
    "statement",
    [
        "select * from read_text('{secret}')",
        "select * from read_csv('{secret}')",
        "select * from '{secret}'",
        "select * from glob('{folder}/*')",
        "select * from delta_scan('{folder}')",
        "copy gold.answers to '{folder}/out.csv'",
        "export database '{folder}/out'",
        "attach '{folder}/other.duckdb'",
        "install httpfs",
        "load '{extension}'",
        "set enable_external_access = true",
        "set lock_configuration = false",
        "set TimeZone = 'Asia/Tokyo'",
        "create table gold.more as select 1",
        "insert into gold.answers values (2)",
        "drop table gold.answers",
    ],
)
def test_a_reader_of_gold_can_neither_write_nor_leave_the_file(
    settings: Settings, tmp_path: Path, statement: str
) -> None:
    publish(settings, "gold-1.duckdb", value=1)
    secret = tmp_path / "secret.csv"
    secret.write_text("a,b\n1,2\n")
    with open_gold(settings) as connection:
        with pytest.raises(duckdb.Error):
            connection.execute(
                statement.format(secret=secret, folder=tmp_path, extension=delta_extension())
            )
        assert connection.execute("select * from gold.answers").fetchall() == [(1,)]


def test_open_gold_before_the_first_publish_says_what_to_run(settings: Settings) -> None:
    with pytest.raises(LakeError, match=r"No gold has been published yet .* run \./lake demo"):
        open_gold(settings)


@pytest.mark.parametrize(
    "pointer", ["", "{", "[]", "{}", '{"file": 3}', '{"file": "../gold-1.duckdb"}']
)
def test_a_damaged_pointer_is_named(settings: Settings, pointer: str) -> None:
    settings.gold_dir.mkdir(parents=True)
    (settings.gold_dir / "CURRENT").write_text(pointer)
    with pytest.raises(LakeError, match="CURRENT names no gold file"):
        current_gold(settings)


def test_a_missing_gold_file_is_named(settings: Settings) -> None:
    publish(settings, "gold-1.duckdb", value=1)
    (settings.gold_dir / "gold-1.duckdb").unlink()
    with pytest.raises(LakeError, match=r"gold-1\.duckdb is missing"):
        open_gold(settings)
    with pytest.raises(LakeError, match=r"no gold file .*gold-1\.duckdb"):
        open_gold(settings.gold_dir / "gold-1.duckdb")


def test_a_gold_file_that_is_none_is_named(settings: Settings) -> None:
    publish(settings, "gold-1.duckdb", value=1)
    (settings.gold_dir / "gold-1.duckdb").write_bytes(b"not a database" * 500)
    with pytest.raises(LakeError, match=r"gold-1\.duckdb cannot be opened: "):
        open_gold(settings)


def test_the_lake_reads_a_delta_table_at_the_pinned_version(settings: Settings) -> None:
    blank = dict.fromkeys(PRODUCTS.column_names())
    for version, skus in enumerate(("A", "BC")):
        commit(settings, PRODUCTS, [{**blank, "sku": sku} for sku in skus], version=version)
    pinned = delta_relation(settings, PRODUCTS.name, version=0)
    newest = delta_relation(settings, PRODUCTS.name)
    with open_lake(settings) as lake:
        assert lake.execute(f"select sku from {pinned} order by sku").fetchall() == [("A",)]
        assert lake.execute(f"select sku from {newest} order by sku").fetchall() == [
            ("A",),
            ("B",),
            ("C",),
        ]
        attach, attached = attached_delta(settings, PRODUCTS.name, version=0)
        lake.execute(attach)
        assert lake.execute(f"select sku from {attached} order by sku").fetchall() == [("A",)]


def test_the_lake_counts_in_utc_and_fetches_no_extension(settings: Settings) -> None:
    with open_lake(settings) as lake:
        assert lake.execute(
            "select current_setting('TimeZone'), current_setting('autoinstall_known_extensions'), "
            "current_setting('autoload_known_extensions')"
        ).fetchall() == [("UTC", False, False)]
        folder = lake.execute("select current_setting('extension_directory')").fetchall()[0][0]
    assert Path(folder).is_relative_to(settings.home)


def test_a_relation_of_an_unknown_table_is_refused(settings: Settings) -> None:
    with pytest.raises(KeyError):
        delta_relation(settings, "silver.unheard_of")


def test_sealing_moves_a_left_write_ahead_log_into_the_file(tmp_path: Path) -> None:
    path = tmp_path / "gold-1.duckdb"
    connection = duckdb.connect(str(path))
    connection.execute("set checkpoint_threshold = '1GB'")
    connection.execute("create schema gold; create table gold.numbers as from range(7)")
    wal = tmp_path / "gold-1.duckdb.wal"
    assert wal.exists()
    killed = tmp_path / "gold-2.duckdb"
    killed.write_bytes(path.read_bytes())
    killed.with_name("gold-2.duckdb.wal").write_bytes(wal.read_bytes())
    connection.close()

    assert seal(killed) == {"numbers": 7}
    assert sorted(each.name for each in tmp_path.iterdir()) == ["gold-1.duckdb", "gold-2.duckdb"]


@pytest.mark.parametrize(
    "stray", ["create view gold.v as select 1 as one", "create table main.t as select 1 as one"]
)
def test_sealing_refuses_a_file_with_more_than_gold_tables(tmp_path: Path, stray: str) -> None:
    path = serve_gold(Settings(home=tmp_path), "create table gold.t as select 1 as one", stray)
    with pytest.raises(CheckFailed, match=r"holds more than gold tables: (gold\.v|main\.t)"):
        seal(path)


HOLDS_IT_OPEN = """
import duckdb, sys
connection = duckdb.connect(sys.argv[1])
connection.execute("insert into gold.numbers values (7)")
print("open", flush=True)
sys.stdin.read()
"""


@contextmanager
def held_open(path: Path) -> Iterator["subprocess.Popen[str]"]:
    """A program that has a gold file open for writing."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLDS_IT_OPEN, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as tool:
        assert tool.stdout is not None
        assert tool.stdout.readline() == "open\n"
        yield tool
        tool.communicate()


def test_a_tool_that_has_gold_open_for_writing_stops_no_reader(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    path = serve_gold(settings, "create table gold.numbers as select range::int as n from range(7)")
    with held_open(path):
        copies = set(Path(tempfile.gettempdir()).glob("cartlake-*"))
        for source in (settings, path):
            with open_gold(source) as gold:
                assert gold.execute("select max(n), count(*) from gold.numbers").fetchall() == [
                    (6, 7)
                ]
                with pytest.raises(duckdb.Error):
                    gold.execute("insert into gold.numbers values (8)")
        assert set(Path(tempfile.gettempdir()).glob("cartlake-*")) <= copies


def test_gold_that_is_held_and_cannot_be_copied_is_told_with_its_holder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = serve_gold(Settings(home=tmp_path), "create table gold.numbers as select 1 as n")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(shutil, "copyfile", full)
    with held_open(path) as tool, pytest.raises(LakeError) as told:
        open_gold(path)
    assert f"(PID {tool.pid})" in str(told.value)
    assert str(told.value).endswith(
        f"can't be copied (No space left on device). Close {path} there, or open it read-only."
    )

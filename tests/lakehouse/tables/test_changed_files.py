"""Files that came and went between two versions of a table, by its log."""

from pathlib import Path

import pytest

from lakehouse.contracts.tables import PRODUCTS
from lakehouse.settings import Settings
from lakehouse.tables import ChangedFiles, changed_files
from tests.silver_commits import commit


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path)


def changed(settings: Settings, after: int, until: int) -> tuple[list[str], list[str]]:
    found = changed_files(PRODUCTS, after=after, until=until, settings=settings)
    assert found is not None
    return [path.name for path in found.added], [path.name for path in found.removed]


def test_appends_add_their_files(settings: Settings) -> None:
    for version in range(4):
        commit(settings, PRODUCTS, [], version=version)
    assert changed(settings, 1, 3) == (["part-2.parquet", "part-3.parquet"], [])
    assert changed(settings, 3, 3) == ([], [])


def test_a_file_that_came_and_went_in_between_is_no_change(settings: Settings) -> None:
    commit(settings, PRODUCTS, [])
    commit(settings, PRODUCTS, [], version=1)
    commit(settings, PRODUCTS, [], version=2, replaces=[0, 1])
    assert changed(settings, 0, 2) == (["part-2.parquet"], ["part-0.parquet"])


def test_a_compaction_of_old_files_is_passed_over(settings: Settings) -> None:
    commit(settings, PRODUCTS, [])
    commit(settings, PRODUCTS, [], version=1)
    commit(settings, PRODUCTS, [], version=2, replaces=[0, 1], is_moved=True)
    commit(settings, PRODUCTS, [], version=3)
    assert changed(settings, 1, 3) == (["part-3.parquet"], [])


def test_a_compaction_that_took_a_new_file_in_is_none(settings: Settings) -> None:
    commit(settings, PRODUCTS, [])
    commit(settings, PRODUCTS, [], version=1)
    commit(settings, PRODUCTS, [], version=2, replaces=[0, 1], is_moved=True)
    assert changed(settings, 0, 2) == (["part-2.parquet"], ["part-0.parquet"])


def test_what_was_compacted_and_then_rewritten_counts_as_removed(settings: Settings) -> None:
    commit(settings, PRODUCTS, [])
    commit(settings, PRODUCTS, [], version=1, replaces=[0], is_moved=True)
    commit(settings, PRODUCTS, [], version=2, replaces=[1])
    assert changed(settings, 0, 2) == (["part-2.parquet"], ["part-1.parquet"])


def test_nothing_is_known_without_the_log_or_a_file_or_on_an_object_store(
    settings: Settings,
) -> None:
    for version in range(3):
        commit(settings, PRODUCTS, [], version=version, replaces=[0] if version == 2 else [])
    root = Path(settings.tables_uri) / "silver" / "products"
    assert changed_files(PRODUCTS, after=1, until=2, settings=settings) == ChangedFiles(
        (root / "part-2.parquet",), (root / "part-0.parquet",)
    )
    (root / "part-0.parquet").unlink()
    assert changed_files(PRODUCTS, after=1, until=2, settings=settings) is None
    (root / "_delta_log" / f"{1:020}.json").unlink()
    assert changed_files(PRODUCTS, after=0, until=1, settings=settings) is None
    away = Settings(home=settings.home, storage="s3://shop/tables")
    assert changed_files(PRODUCTS, after=0, until=1, settings=away) is None

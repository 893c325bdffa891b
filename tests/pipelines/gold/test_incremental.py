"""Whether a build may go on from the last gold, and the reason when it may not."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from lakehouse.contracts.tables import GOLD_SOURCES, ORDER_LINES, WEB_EVENTS
from lakehouse.ledger import commits
from lakehouse.ledger.publishes import Published
from lakehouse.settings import Settings
from pipelines.gold import incremental
from pipelines.gold.incremental import FullBuild, LastGold, copy_to, find_last_gold, rules
from tests.silver_commits import commit

FIRST = {table.name: 0 for table in GOLD_SOURCES}
SECOND = {**FIRST, ORDER_LINES.name: 1}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    settings = Settings(home=tmp_path / "it's state")
    for table in GOLD_SOURCES:
        commit(settings, table, [])
    commit(settings, ORDER_LINES, [], version=1)
    settings.gold_dir.mkdir(parents=True)
    (settings.gold_dir / "gold-first.duckdb").write_bytes(b"g" * 100)
    return settings


def published(settings: Settings, **gold: Any) -> Published:
    path = settings.gold_dir / "gold-first.duckdb"
    facts = {"rules": rules(), "in_a_row": 0, "full_bytes": 100}
    sha256 = commits.file_sha256(path) or ""
    return Published(
        "first", path.name, FIRST, {}, 1, "", file_sha256=sha256, gold={**facts, **gold}
    )


def found(settings: Settings, last: Published | None) -> LastGold | FullBuild:
    return find_last_gold(settings, last=last, table_versions=SECOND)


def test_a_build_goes_on_from_the_published_file_with_the_files_that_changed(
    settings: Settings,
) -> None:
    last = found(settings, published(settings, in_a_row=4))
    assert isinstance(last, LastGold)
    assert (last.run_id, last.in_a_row, last.full_bytes) == ("first", 4, 100)
    assert last.variables["is_incremental"] is True
    assert "part-1.parquet" in dict(last.variables).pop("silver_order_lines_added")
    changes = {name: value for name, value in last.variables.items() if name != "is_incremental"}
    others = {name for name, value in changes.items() if "read_parquet" not in value}
    assert others == {
        "silver_order_lines_removed",
        *(
            f"silver_{table}_{how}"
            for table in ("web_events", "customers", "products")
            for how in ("added", "removed")
        ),
    }


@pytest.mark.parametrize(
    ("gold", "reason"),
    [
        ({"rules": "others"}, "the rules of gold changed"),
        ({"in_a_row": 30}, "the last 30 builds were incremental"),
        ({"full_bytes": 49}, "the file grew more than 2 times since the last full build"),
    ],
)
def test_a_file_that_does_not_fit_is_left(
    settings: Settings, gold: Mapping[str, Any], reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(incremental, "SMALL_FILE", 98)
    assert found(settings, published(settings, **gold)) == FullBuild(reason)


def test_a_small_file_may_grow(settings: Settings) -> None:
    assert isinstance(found(settings, published(settings, full_bytes=49)), LastGold)


def test_without_a_publish_its_file_or_what_it_was_made_of_everything_is_built(
    settings: Settings,
) -> None:
    assert found(settings, None) == FullBuild("nothing is published yet")
    older = Published("first", "gold-first.duckdb", FIRST, {}, 1, "")
    assert found(settings, older) == FullBuild("the rules of gold changed")
    last = published(settings)
    (Path(settings.tables_uri) / "silver" / "order_lines" / "part-1.parquet").unlink()
    assert found(settings, last) == FullBuild(
        "files of silver.order_lines that the last gold was built from are gone"
    )
    (settings.gold_dir / "gold-first.duckdb").unlink()
    assert found(settings, last) == FullBuild("gold-first.duckdb is gone")


def test_a_table_that_was_rebuilt_since_makes_a_full_build(settings: Settings) -> None:
    last = published(settings)
    commits.mark_rebuilt(WEB_EVENTS, identity="repair-1", settings=settings)
    assert found(settings, last) == FullBuild("silver.web_events was rebuilt since")


def test_a_copy_is_the_published_bytes_or_none(settings: Settings, tmp_path: Path) -> None:
    last = found(settings, published(settings))
    assert isinstance(last, LastGold)
    copy = tmp_path / "copy"
    assert copy_to(copy, last)
    assert copy.read_bytes() == last.path.read_bytes()
    last.path.write_bytes(b"g" * 99 + b"x")
    assert not copy_to(copy, last)
    assert not copy.exists()


def test_the_rules_are_all_of_the_project_that_decides_rows(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import shutil

    shutil.copytree(incremental.PROJECT_ROOT / "dbt_project", tmp_path / "dbt_project")
    before = rules()
    monkeypatch.setattr(incremental, "PROJECT_ROOT", tmp_path)
    assert rules() == before
    macro = tmp_path / "dbt_project" / "macros" / "measures.sql"
    macro.write_text(macro.read_text() + " ")
    assert rules() != before

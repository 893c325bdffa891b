"""The handle on gold: one per version, swapped by a publish, closed with its last reader."""

import json
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import psutil
import pytest

from dashboards.published import PublishedGold
from dashboards.queries.sales import values_of
from lakehouse.errors import LakeError
from lakehouse.pointer import NothingPublished, in_service


def open_gold_files(shop: Any) -> list[str]:
    """Gold files of this shop that our process holds open; other tests have theirs."""
    folder = shop.settings.gold_dir.resolve()
    paths = [Path(each.path) for each in psutil.Process().open_files()]
    return sorted(path.name for path in paths if path.parent == folder and "gold-" in path.name)


def gross(cursor: Any, selection: Any) -> Any:
    return values_of(cursor, selection, ["gross_revenue"])["gross_revenue"]


def test_nothing_published_is_its_own_message(shop: Any) -> None:
    with pytest.raises(NothingPublished, match=r"run \./lake demo"), shop.gold.reader():
        pass


@pytest.mark.parametrize(
    "pointer",
    [
        "",
        "{broken",
        "[]",
        '{"run_id": "x"}',
        '{"run_id": "x", "file": 7}',
        '{"run_id": "x", "file": "../../etc/passwd"}',
        '{"run_id": "x", "file": "gold-missing.duckdb"}',
    ],
)
def test_a_damaged_pointer_is_named_and_never_followed(shop: Any, pointer: str) -> None:
    shop.publish("run-1")
    (shop.settings.gold_dir / "CURRENT").write_text(pointer, encoding="utf-8")
    with pytest.raises(LakeError, match="gold") as failure, shop.gold.reader():
        pass
    assert not isinstance(failure.value, NothingPublished)


def test_the_version_says_run_and_time(shop: Any) -> None:
    path = shop.publish("run-1")
    version = in_service(shop.settings)
    assert (version.run_id, version.path) == ("run-1", path)
    assert version.published_at is not None
    assert version.published_at.isoformat() == "2026-11-09T14:03:00+00:00"


def test_a_reader_keeps_its_version_while_a_new_one_comes_into_service(
    shop: Any, selection: Callable[..., Any]
) -> None:
    gold, every = shop.gold, selection("2011-01-01", "2011-12-31")
    first = shop.publish("run-1")
    with gold.reader() as old:
        second = shop.publish("run-2", lines=shop_lines_of_one_pound())
        with gold.reader() as new:
            sums = [str(gross(each.cursor, every)) for each in (old, new)]
            assert [old.version.run_id, new.version.run_id] == ["run-1", "run-2"]
        assert sums == ["843.2550", "1.0000"]
        assert open_gold_files(shop) == [first.name, second.name]
    assert open_gold_files(shop) == [second.name]
    gold.close()
    assert open_gold_files(shop) == []


def shop_lines_of_one_pound() -> tuple[Any, ...]:
    return (("erp", "1", "sale", "A1", "TEA", "10", "United Kingdom", "2011-01-03", 1, "1.0000"),)


def test_many_publishes_leave_one_file_open(shop: Any) -> None:
    gold = shop.gold
    path = shop.build("run-0")
    for number in range(1, 31):
        target = path.with_name(f"gold-run-{number}.duckdb")
        target.write_bytes(path.read_bytes())
        pointer = {"run_id": f"run-{number}", "file": target.name}
        (shop.settings.gold_dir / "CURRENT").write_text(json.dumps(pointer), encoding="utf-8")
        with gold.reader() as reader:
            assert reader.version.run_id == f"run-{number}"
    assert open_gold_files(shop) == ["gold-run-30.duckdb"]
    gold.close()


def test_readers_and_publishes_of_many_threads_never_fail_or_mix(
    shop: Any, selection: Callable[..., Any]
) -> None:
    gold, every = shop.gold, selection("2011-01-01", "2011-12-31")
    shop.publish("run-0")
    expected = {"full": "843.2550", "pound": "1.0000"}
    seen: list[tuple[str, str]] = []
    is_over = threading.Event()

    def read() -> None:
        while not is_over.is_set():
            with gold.reader() as reader:
                amount = str(gross(reader.cursor, every))
                seen.append((reader.version.run_id, amount))

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for number in range(6):
        shop.publish(f"full-{number}")
        shop.publish(f"pound-{number}", lines=shop_lines_of_one_pound())
    is_over.set()
    for thread in threads:
        thread.join()
    expected["run"] = expected["full"]
    wrong = [each for each in seen if each[1] != expected[each[0].split("-")[0]]]
    assert seen
    assert wrong == []
    gold.close()


def test_an_open_dashboard_keeps_no_other_process_from_writing_a_new_version(shop: Any) -> None:
    gold = shop.gold
    shop.publish("run-1")
    with gold.reader():
        path = shop.settings.gold_dir / "gold-run-2.duckdb"
        code = f"import duckdb; duckdb.connect({str(path)!r}).execute('create table t as select 1')"
        subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
    gold.close()
    assert path.exists()


def test_gold_can_be_neither_changed_nor_left_from_the_screens(shop: Any) -> None:
    shop.publish("run-1")
    with shop.gold.reader() as reader:
        for statement in (
            "delete from gold.fct_orders",
            "select * from read_csv('/etc/passwd')",
            "set enable_external_access = true",
        ):
            with pytest.raises(duckdb.Error):
                reader.cursor.execute(statement)


def test_a_handle_opens_only_when_it_is_used(shop: Any) -> None:
    shop.publish("run-1")
    gold = PublishedGold(shop.settings)
    assert open_gold_files(shop) == []
    gold.close()


def test_an_answer_is_made_once_for_a_version_and_anew_for_the_next(shop: Any) -> None:
    gold, made = shop.gold, []

    def look() -> int:
        with gold.reader() as reader:
            return reader.once("count", lambda: made.append(reader.version.run_id) or len(made))

    shop.publish("run-1")
    first = [look(), look()]
    shop.publish("run-2")
    assert (first, look(), made) == ([1, 1], 2, ["run-1", "run-2"])

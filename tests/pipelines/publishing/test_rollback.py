"""Back to a kept version: recorded, chosen by its publish, refused when the file was changed."""

import json
import threading
from pathlib import Path
from typing import Any

import duckdb
import pytest

from dashboards.published import PublishedGold
from lakehouse.duck import open_gold
from lakehouse.errors import CheckFailed, LakeError
from lakehouse.ledger import chain, commits, publishes
from lakehouse.pointer import CURRENT, current_gold, in_service
from lakehouse.settings import Settings
from pipelines.publishing import pointer, restatements
from pipelines.publishing.rollback import kept, roll_back
from quality.audit.equation import Equation, Pinned
from quality.audit.files import gold_is_of_one_run, ledger_is_unbroken

GOLD = """
create schema gold;
create table gold.first as select {number} as number;
create table gold.fct_daily_kpis as
select date '2011-03-01' as kpi_date, 'gross_revenue' as kpi,
       {number}::decimal(18, 4) as value, 'GBP' as unit;
create table gold.last as select {number} as number;
"""
PUBLISHES = 50


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "state")


def built(settings: Settings, number: int) -> Path:
    """A whole gold file whose first and last table hold the number."""
    path = settings.gold_dir / "build" / f"run-{number}" / f"gold-run-{number}.duckdb"
    path.parent.mkdir(parents=True)
    with duckdb.connect(str(path)) as connection:
        connection.execute(GOLD.format(number=number))
    return path


def put(settings: Settings, number: int, path: Path | None = None) -> Path:
    path = path or built(settings, number)
    facts: dict[str, Any] = {
        "run_id": f"run-{number}",
        "table_versions": {"t": number},
        "rows": {},
        "refined_batch": number,
        "file_sha256": commits.file_sha256(path),
        "fence": publishes.next_fence(settings),
    }
    return pointer.put_in_service(path, facts=facts, settings=settings)


def number_in_service(settings: Settings) -> int:
    with open_gold(settings) as gold:
        return int(gold.execute("select number from gold.last").fetchall()[0][0])


def shown(settings: Settings) -> list[tuple[str, bool, str]]:
    return [(each.run_id, each.is_in_service, each.reason) for each in kept(settings)]


def verdicts(settings: Settings) -> list[Equation]:
    """R7 and R8, with nothing else in the state."""
    pinned = Pinned(duckdb.connect(), settings, {}, gold=current_gold(settings))
    return [gold_is_of_one_run(pinned), ledger_is_unbroken(pinned, is_published=True)]


def test_the_last_three_are_kept_and_the_one_before_comes_back_on_the_record(
    settings: Settings,
) -> None:
    for number in (1, 2, 3, 4):
        put(settings, number)
    assert shown(settings) == [("run-4", True, ""), ("run-3", False, ""), ("run-2", False, "")]
    found = roll_back(settings, reason=" wrong prices ")
    assert (found.run_id, found.reason, number_in_service(settings)) == ("run-3", "wrong prices", 3)
    lines = list(chain.lines(publishes.CHAIN, settings=settings))[-2:]
    assert [(each["kind"], each["run_id"], each["from_run"], each["reason"]) for each in lines] == [
        ("rollback_intent", "run-3", "run-4", "wrong prices"),
        ("rolled_back", "run-3", "run-4", "wrong prices"),
    ]
    last = publishes.last_published(settings)
    assert last is not None
    assert (last.run_id, last.table_versions) == ("run-3", {"t": 3})
    assert last.first_published_at == found.published_at < last.published_at
    assert pointer.is_in_service(last, settings=settings)
    assert [each.differences for each in verdicts(settings)] == [(), ()]


def test_a_second_rollback_goes_further_back_and_a_named_one_forward(settings: Settings) -> None:
    for number in (1, 2, 3):
        put(settings, number)
    assert [roll_back(settings, reason="a").run_id, roll_back(settings, reason="b").run_id] == [
        *("run-2", "run-1"),
    ]
    with pytest.raises(LakeError, match="No version before the one in service is kept in"):
        roll_back(settings, reason="c")
    assert roll_back(settings, reason="d", to="run-3").run_id == "run-3"
    with pytest.raises(LakeError, match="Run run-3 is in service already"):
        roll_back(settings, reason="e", to="run-3")
    with pytest.raises(LakeError, match="No version of run 'run-9' is kept"):
        roll_back(settings, reason="f", to="run-9")
    with pytest.raises(LakeError, match="Say why"):
        roll_back(settings, reason="  ")
    assert number_in_service(settings) == 3


def test_the_next_publish_goes_on_and_keeps_the_three_last_in_service(settings: Settings) -> None:
    for number in (1, 2, 3):
        put(settings, number)
    roll_back(settings, reason="a", to="run-1")
    put(settings, 4)
    assert shown(settings) == [("run-4", True, ""), ("run-3", False, ""), ("run-1", False, "a")]
    assert in_service(settings).facts["fence"] == 5
    assert [each.differences for each in verdicts(settings)] == [(), ()]


def test_a_changed_file_does_not_come_back(settings: Settings) -> None:
    old = put(settings, 1)
    put(settings, 2)
    old.write_bytes(old.read_bytes() + b"x")
    with pytest.raises(CheckFailed, match="is not the file that run run-1 published"):
        roll_back(settings, reason="a")
    assert number_in_service(settings) == 2
    assert [line["kind"] for line in chain.lines(publishes.CHAIN, settings=settings)][
        -1
    ] == "published"


def test_a_pointer_that_was_moved_without_a_record_is_named(settings: Settings) -> None:
    put(settings, 1)
    earlier = (settings.gold_dir / CURRENT).read_bytes()
    put(settings, 2)
    roll_back(settings, reason="a")
    put(settings, 3)
    (settings.gold_dir / CURRENT).write_bytes(earlier)
    assert [each.differences for each in verdicts(settings)] == [
        (),
        ("CURRENT points to run run-1, last published: run-3",),
    ]


def test_a_rollback_that_was_cut_short_is_settled_by_the_pointer(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in (1, 2):
        put(settings, number)
    real = pointer.point_to

    def dies_before(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    def dies_after(*arguments: Any, **options: Any) -> None:
        real(*arguments, **options)
        raise KeyboardInterrupt

    for dies, kind, number in ((dies_before, "abandoned", 2), (dies_after, "rolled_back", 1)):
        monkeypatch.setattr(pointer, "point_to", dies)
        with pytest.raises(KeyboardInterrupt):
            roll_back(settings, reason="a")
        assert pointer.settle(settings) == (
            f"Run run-1 was cut short in its rollback: it counts as {kind}."
        )
        assert pointer.settle(settings) is None
        assert number_in_service(settings) == number
        assert [each.differences for each in verdicts(settings)] == [(), ()]


def test_the_kpis_that_a_rollback_changes_are_restated(settings: Settings) -> None:
    for number in (1, 2):
        put(settings, number)
    roll_back(settings, reason="a")
    found = [each.row() for each in restatements.of_published_runs(settings)]
    current = json.loads((settings.gold_dir / CURRENT).read_text(encoding="utf-8"))
    assert found == [
        {
            "kpi_date": "2011-03-01",
            "kpi": "gross_revenue",
            "unit": "GBP",
            "old_value": "2.0000",
            "new_value": "1.0000",
            "run_id": current["rollback_id"],
        }
    ]
    assert restatements.summary(settings)["figures"] == 1


def test_readers_during_many_publishes_see_one_whole_version_never_an_older_one(
    settings: Settings,
) -> None:
    files = [built(settings, number) for number in range(PUBLISHES)]
    put(settings, 0, files[0])
    service = PublishedGold(settings)
    done, wrong = threading.Event(), []
    seen: dict[int, list[int]] = {reader: [] for reader in range(4)}

    def read(reader: int) -> None:
        try:
            while True:
                is_last = done.is_set()
                if reader % 2:
                    with service.reader() as found:
                        pair = _ends(found.cursor)
                else:
                    with open_gold(settings) as gold:
                        pair = _ends(gold)
                if pair[0] != pair[1] or (seen[reader] and pair[0] < seen[reader][-1]):
                    wrong.append((reader, pair, seen[reader][-1:]))
                seen[reader].append(pair[0])
                if is_last:
                    return
        except LakeError as error:
            wrong.append((reader, str(error)))

    readers = [threading.Thread(target=read, args=(each,)) for each in seen]
    for each in readers:
        each.start()
    for number, path in enumerate(files[1:], start=1):
        put(settings, number, path)
    done.set()
    for each in readers:
        each.join()
    service.close()
    assert wrong == []
    assert {found[-1] for found in seen.values()} == {PUBLISHES - 1}
    assert min(len(set(found)) for found in seen.values()) > 1
    assert len(list(settings.gold_dir.glob("gold-*.duckdb"))) == 3


def _ends(gold: Any) -> tuple[int, int]:
    """The number in the first table and in the last, read one after the other."""
    first = gold.execute("select number from gold.first").fetchall()
    last = gold.execute("select number from gold.last").fetchall()
    return first[0][0], last[0][0]

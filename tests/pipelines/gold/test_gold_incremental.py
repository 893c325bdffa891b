"""An incremental build equals a full one, and writes the days that changed only."""

import dataclasses
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import duckdb
import pytest

from lakehouse.contracts.tables import CUSTOMERS, GOLD_SOURCES, ORDER_LINES
from lakehouse.duck import open_gold
from lakehouse.ledger import commits
from lakehouse.ledger.publishes import Published
from lakehouse.settings import Settings
from pipelines.gold.build import GoldBuild, build_gold
from pipelines.gold.dbt_worker import GoldWorker
from pipelines.gold.incremental import LastGold, find_last_gold
from tests.gold_files import differences
from tests.pipelines.gold.test_build import FIRST, POSITION, line
from tests.random_shop import RandomShop
from tests.silver_commits import commit

STEPS = (("trade",), ("trade", "correct"), ("trade", "tidy"), ("correct", "tidy", "trade"))


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "state")


def published(build: GoldBuild, settings: Settings) -> Published:
    """The build as if it were published: its file in place."""
    path = settings.gold_dir / build.path.name
    shutil.copyfile(build.path, path)
    gold = build.facts
    sha256 = commits.file_sha256(path) or ""
    versions = dict(build.table_versions)
    return Published(build.run_id, path.name, versions, {}, 0, "", file_sha256=sha256, gold=gold)


def go_on(
    settings: Settings,
    build: GoldBuild,
    worker: GoldWorker,
    versions: Mapping[str, int],
    run_id: str = "1",
) -> GoldBuild:
    """The next build from a published one, on these versions of silver."""
    last = published(build, settings)
    found = find_last_gold(settings, last=last, table_versions=versions)
    assert isinstance(found, LastGold), found
    return build_gold(settings, run_id=run_id, table_versions=versions, worker=worker, last=found)


def in_full(shop: RandomShop, worker: GoldWorker, run_id: str = "full") -> GoldBuild:
    return build_gold(shop.settings, run_id=run_id, table_versions=shop.versions, worker=worker)


@pytest.mark.parametrize(
    "seed", [1, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(2, 12))]
)
def test_after_late_lines_corrections_and_moved_files_it_equals_a_full_build(
    settings: Settings, gold_worker: GoldWorker, seed: int
) -> None:
    shop = RandomShop(settings, seed=seed)
    shop.trade()
    build = in_full(shop, gold_worker, "0")
    assert build.start.note == "built in full: there is nothing to begin with"
    for number, acts in enumerate(STEPS, start=1):
        for act in acts:
            getattr(shop, act)()
        build = go_on(settings, build, gold_worker, shop.versions, str(number))
    assert build.facts["in_a_row"] == len(STEPS)
    assert differences(build.path, in_full(shop, gold_worker).path) == []


def test_rows_of_other_days_are_not_written(settings: Settings, gold_worker: GoldWorker) -> None:
    days = ("2011-01-04", "2011-01-05", "2011-01-06")
    old, other, new = (
        line(number, order_id=day, customer_id=day, order_date=day, ordered_at=f"{day} 10:00:00+00")
        for number, day in enumerate(days)
    )
    for table in GOLD_SOURCES:
        commit(settings, table, [old, other] if table is ORDER_LINES else [])
    build = build_gold(settings, run_id="0", table_versions=FIRST, worker=gold_worker)
    with duckdb.connect(str(build.path)) as gold:
        gold.execute("update gold.fct_order_lines set currency = 'OLD'")
    commit(settings, ORDER_LINES, [new], version=1)
    versions = {**FIRST, ORDER_LINES.name: 1}
    later = go_on(settings, build, gold_worker, versions)
    with open_gold(later.path) as gold:
        rows = gold.execute(
            "select order_date::varchar, currency from gold.fct_order_lines order by all"
        ).fetchall()
    assert rows == [(days[0], "OLD"), (days[1], "OLD"), (days[2], "GBP")]
    assert later.start.days == 1


def profile(number: int, customer_id: str, country: str) -> dict[str, Any]:
    """The first that is heard of a customer, long after their orders."""
    return {
        "event_id": f"c{number}",
        "content_hash": f"h{number}",
        "customer_id": customer_id,
        "changed_at": "2011-12-10 00:00:00+00",
        "country": country,
        "has_marketing_consent": True,
        **POSITION,
    }


@pytest.mark.slow
def test_a_first_profile_builds_the_days_of_its_customer_if_it_names_another_country(
    settings: Settings, gold_worker: GoldWorker
) -> None:
    days = {"same": "2011-01-04", "moved": "2011-01-05"}
    lines = [
        line(number, order_id=day, customer_id=who, order_date=day, ordered_at=f"{day} 10:00:00+00")
        for number, (who, day) in enumerate(days.items())
    ]
    for table in GOLD_SOURCES:
        commit(settings, table, lines if table is ORDER_LINES else [])
    build = build_gold(settings, run_id="0", table_versions=FIRST, worker=gold_worker)
    commit(
        settings, CUSTOMERS, [profile(1, "same", "France"), profile(2, "moved", "Spain")], version=1
    )
    versions = {**FIRST, CUSTOMERS.name: 1}
    later = go_on(settings, build, gold_worker, versions)
    with open_gold(later.path) as gold:
        rows = gold.execute(
            "select order_date::varchar, customer_country from gold.fct_orders order by all"
        ).fetchall()
    assert rows == [(days["same"], "France"), (days["moved"], "Spain")]
    assert later.start.days == 1
    full = build_gold(settings, run_id="full", table_versions=versions, worker=gold_worker)
    assert differences(later.path, full.path) == []


@pytest.mark.slow
def test_a_line_from_another_country_builds_its_day_alone_where_a_profile_says_the_country(
    settings: Settings, gold_worker: GoldWorker
) -> None:
    days = ("2011-01-04", "2011-01-05", "2011-01-06", "2011-01-07")
    old = [
        line(number, order_id=day, customer_id=who, order_date=day, ordered_at=f"{day} 10:00:00+00")
        for number, (who, day) in enumerate(zip(("known", "other"), days[:2], strict=True))
    ]
    for table in GOLD_SOURCES:
        rows = {ORDER_LINES: old, CUSTOMERS: [profile(1, "known", "France")]}.get(table, [])
        commit(settings, table, rows)
    builds = [build_gold(settings, run_id="0", table_versions=FIRST, worker=gold_worker)]
    for version, (who, day) in enumerate(zip(("known", "other"), days[2:], strict=True), start=1):
        new = line(version + 1, order_id=day, customer_id=who, order_date=day, country="Spain") | {
            "ordered_at": f"{day} 10:00:00+00"
        }
        commit(settings, ORDER_LINES, [new], version=version)
        versions = {**FIRST, ORDER_LINES.name: version}
        builds.append(go_on(settings, builds[-1], gold_worker, versions, str(version)))
    assert [each.start.days for each in builds[1:]] == [1, 2]
    full = build_gold(settings, run_id="full", table_versions=versions, worker=gold_worker)
    assert differences(builds[-1].path, full.path) == []


def test_a_file_that_was_changed_by_hand_is_not_built_on(
    settings: Settings, gold_worker: GoldWorker
) -> None:
    shop = RandomShop(settings, seed=6)
    shop.trade()
    build = in_full(shop, gold_worker, "0")
    last = dataclasses.replace(published(build, settings), file_sha256="other")
    found = find_last_gold(settings, last=last, table_versions=shop.versions)
    later = build_gold(
        settings, run_id="1", table_versions=shop.versions, worker=gold_worker, last=found
    )
    assert later.start.note == "built in full: gold-0.duckdb is not the file that was published"
    assert later.facts["in_a_row"] == 0
    assert differences(build.path, later.path) == []

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import psutil
import pytest

from lakehouse.contracts.tables import (
    CUSTOMER_CONTACTS,
    CUSTOMERS,
    GOLD_SOURCES,
    ORDER_LINES,
    PRODUCTS,
    WEB_EVENTS,
)
from lakehouse.duck import open_gold
from lakehouse.errors import LakeError
from lakehouse.settings import PROJECT_ROOT, Settings
from pipelines.gold.build import GoldFailed, build_gold, discard_dead_builds
from pipelines.gold.dbt_worker import GoldWorker
from tests.silver_commits import commit

FIRST = {table.name: 0 for table in GOLD_SOURCES}
POSITION = {"refined_batch": 1, "source_topic": "t", "source_partition": 0, "source_offset": 0}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "it's state")


def line(number: int, **facts: Any) -> dict[str, Any]:
    """A sale of one lamp at 2.50 in order 500001; `facts` say what is otherwise."""
    quantity, price = facts.get("quantity", 1), Decimal(facts.get("unit_price", "2.5"))
    return {
        "event_id": f"e{number}",
        "content_hash": f"h{number}",
        "source_system": "erp",
        "order_id": "500001",
        "line_number": number,
        "line_class": "sale",
        "sku": "LAMP",
        "description": "red lamp",
        "customer_id": "12345",
        "country": "France",
        "ordered_at": "2011-01-04 10:00:00+00",
        "order_date": "2011-01-04",
        "order_month": "2011-01",
        "quantity": quantity,
        "unit_price": price,
        "line_amount": quantity * price,
        "currency": "GBP",
        **POSITION,
        **facts,
    }


def fill(settings: Settings, *lines: Mapping[str, Any]) -> None:
    """Silver with these order lines, one customer with a contact, one product and one visit."""
    known = {"content_hash": "h", "customer_id": "777", "changed_at": "2011-12-10 00:00:00+00"}
    commit(settings, ORDER_LINES, lines)
    commit(
        settings,
        CUSTOMERS,
        [{"event_id": "c1", **known, "country": "Spain", "has_marketing_consent": True} | POSITION],
    )
    person = {"name": "Ada Secret", "email": "ada@secret.test", "address": "1 Secret Street"}
    commit(settings, CUSTOMER_CONTACTS, [{"event_id": "c1", **known, **person, **POSITION}])
    visit = {"session_id": "s", "visitor_id": "v", "customer_id": "12345", "sku": None}
    seen = {"order_id": None, "device_type": None, "event_date": "2011-01-04"}
    shown = {"experiment": None, "arm": None}
    at = {"occurred_at": "2011-01-04 09:00:00+00", "event_type": "page_view"}
    event = {"event_id": "w1", "content_hash": "h", **visit, **seen, **shown, **at, **POSITION}
    commit(settings, WEB_EVENTS, [event])
    product = {"sku": "LAMP", "description": "lamp", "category": "light", "is_active": True}
    commit(
        settings,
        PRODUCTS,
        [
            {"event_id": "p1", "content_hash": "h", "changed_at": "2011-12-10 00:00:00+00"}
            | product
            | {"unit_price": "2.75"}
            | POSITION
        ],
    )


def query(path: Path, sql: str) -> list[tuple[Any, ...]]:
    with open_gold(path) as gold:
        return gold.execute(sql).fetchall()


def test_a_build_is_one_sealed_file_with_every_gold_table(
    settings: Settings, gold_worker: GoldWorker
) -> None:
    fill(
        settings,
        line(1, quantity=2),
        line(2, sku="POST", unit_price="18"),
        line(3, order_id="C500002", line_class="cancellation", quantity=-1, customer_id=None),
        line(4, order_id="A500003", line_class="adjustment", unit_price="-11062.06"),
    )
    (settings.gold_dir / "build" / "left-by-a-dead-run").mkdir(parents=True)
    build = build_gold(settings, run_id="run-1", table_versions=FIRST, worker=gold_worker)

    assert [each.name for each in (settings.gold_dir / "build").iterdir()] == ["run-1"]
    assert build.path == settings.gold_dir / "build" / "run-1" / "gold-run-1.duckdb"
    assert sorted(each.name for each in build.path.parent.iterdir()) == [
        "gold-run-1.duckdb",
        "owner.json",
    ]
    assert {each.name: each.rows for each in build.models if each.layer == "gold"} == {
        "dim_countries": 3,
        "dim_customer_contacts": 1,
        "dim_customers": 3,
        "dim_dates": 1,
        "dim_products": 3,
        "fct_basket_pairs": 0,
        "fct_cohort_retention": 1,
        "fct_customer_orders": 1,
        "fct_customer_rfm": 1,
        "fct_daily_customers": 1,
        "fct_daily_funnel": 5,
        "fct_daily_kpis": 12,
        "fct_daily_sales": 1,
        "fct_exposures": 0,
        "fct_order_lines": 4,
        "fct_orders": 2,
        "fct_sessions": 1,
    }
    assert {each.status for each in build.checks} == {"pass"}
    assert len(build.checks) > 20
    assert build.table_versions == FIRST
    assert query(build.path, "select * from gold.fct_daily_sales") == [
        (
            date(2011, 1, 4),
            "erp",
            "France",
            1,
            2,
            3,
            Decimal("23.0000"),
            Decimal("-2.5000"),
            Decimal("20.5000"),
        )
    ]


def test_a_build_reads_the_pinned_versions_only(
    settings: Settings, gold_worker: GoldWorker
) -> None:
    fill(settings, line(1, order_id="C500001", line_class="cancellation", quantity=-1))
    commit(settings, ORDER_LINES, [line(2), line(3)], version=1)
    build = build_gold(settings, run_id="pinned", table_versions=FIRST, worker=gold_worker)
    assert query(build.path, "select order_id, line_amount from gold.fct_order_lines") == [
        ("C500001", Decimal("-2.5000"))
    ]


def test_gold_of_empty_silver_is_empty_and_passes(
    settings: Settings, gold_worker: GoldWorker
) -> None:
    for table in GOLD_SOURCES:
        commit(settings, table, [])
    build = build_gold(settings, run_id="empty", table_versions=FIRST, worker=gold_worker)
    assert {each.name: each.rows for each in build.models if each.rows} == {
        "dim_countries": 1,
        "dim_customers": 1,
        "dim_products": 1,
    }


def test_failed_tests_are_named_with_rows_but_no_person_and_published_gold_stays(
    settings: Settings, gold_worker: GoldWorker
) -> None:
    fill(settings, *(line(number) for number in (1, 1, 2, 2, 3, 3, 4, 4)))
    stranger = {"event_id": "c2", "content_hash": "h", "customer_id": "stranger"}
    person = {"name": "Bob Secret", "email": "bob@secret.test", "address": None}
    changed = {"changed_at": "2011-12-10 00:00:00+00"}
    commit(settings, CUSTOMER_CONTACTS, [{**stranger, **person, **changed, **POSITION}], version=1)
    settings.gold_dir.mkdir(parents=True)
    pointer = settings.gold_dir / "CURRENT"
    pointer.write_text('{"file": "gold-good.duckdb"}')

    with pytest.raises(GoldFailed) as failure:
        build_gold(
            settings,
            run_id="bad",
            table_versions={**FIRST, CUSTOMER_CONTACTS.name: 1},
            worker=gold_worker,
        )

    failed = {each.name: each for each in failure.value.checks if each.status == "fail"}
    assert {(each.model, each.name, each.failing_rows) for each in failed.values()} == {
        ("dim_customer_contacts", "dim_customer_contacts_belong_to_customers", 1),
        ("fct_order_lines", "fct_order_lines_has_a_unique_key", 4),
    }
    sample = failed["fct_order_lines_has_a_unique_key"].sample
    assert len(sample) == 3
    assert set(sample) < {f"event_id=e{n}, line_number={n}, row_count=2" for n in (1, 2, 3, 4)}
    assert failed["dim_customer_contacts_belong_to_customers"].sample == ()
    assert str(failure.value) == (
        "Gold was not built: test dim_customer_contacts_belong_to_customers of "
        "dim_customer_contacts fails for 1 row; also failed: test "
        "fct_order_lines_has_a_unique_key of fct_order_lines. Published gold is unchanged."
    )
    assert failure.value.exit_code == 1
    assert pointer.read_text() == '{"file": "gold-good.duckdb"}'
    assert [each.name for each in settings.gold_dir.glob("*.duckdb")] == []


def test_a_failed_model_is_named_with_its_reason(
    settings: Settings, gold_worker: GoldWorker
) -> None:
    fill(settings, line(1, currency=None))
    with pytest.raises(
        GoldFailed,
        match=r"model fct_order_lines: .*NOT NULL constraint failed: fct_order_lines\.currency\.",
    ):
        build_gold(settings, run_id="bad", table_versions=FIRST, worker=gold_worker)


def test_a_table_that_cannot_be_read_is_named(settings: Settings, gold_worker: GoldWorker) -> None:
    fill(settings, line(1))
    with pytest.raises(GoldFailed, match=rf"IO Error: .*'{ORDER_LINES.name}': 99"):
        build_gold(
            settings,
            run_id="bad",
            table_versions={**FIRST, ORDER_LINES.name: 99},
            worker=gold_worker,
        )


def test_wrong_arguments_are_refused_before_anything_is_built(settings: Settings) -> None:
    with pytest.raises(LakeError, match=f"pinned version of {PRODUCTS.name}"):
        build_gold(
            settings,
            run_id="r",
            table_versions={name: 0 for name in FIRST if name != PRODUCTS.name},
        )
    for run_id in ("", "../r", "a.b", "a b"):
        with pytest.raises(LakeError, match="run id"):
            build_gold(settings, run_id=run_id, table_versions=FIRST)


def test_a_killed_builder_gives_a_clear_error(settings: Settings) -> None:
    fill(settings, line(1))
    with GoldWorker(settings) as worker:
        os.kill(worker.pid, signal.SIGKILL)
        with pytest.raises(LakeError, match=r"ended by SIGKILL.*published gold is unchanged"):
            build_gold(settings, run_id="killed", table_versions=FIRST, worker=worker)


def test_the_builder_dies_with_its_parent_and_hears_no_ctrl_c(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path\n"
        "from lakehouse.settings import Settings\n"
        "from pipelines.gold.dbt_worker import GoldWorker\n"
        "worker = GoldWorker(Settings(home=Path(sys.argv[1])))\n"
        "worker.await_ready(); print(worker.pid, flush=True); sys.stdin.read()"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path)],
        cwd=PROJECT_ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert parent.stdout is not None
        child = psutil.Process(int(parent.stdout.readline()))
        assert os.getsid(child.pid) != os.getsid(parent.pid)
    finally:
        parent.kill()
        parent.communicate()
    assert psutil.wait_procs([child], timeout=30) == ([child], [])


def test_only_folders_of_dead_builds_are_removed(settings: Settings) -> None:
    builds = settings.gold_dir / "build"
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    me = psutil.Process()
    owners = {
        "alive": {"pid": me.pid, "started": me.create_time()},
        "ended": {"pid": ended.pid, "started": me.create_time()},
        "pid_taken_again": {"pid": me.pid, "started": me.create_time() - 60},
        "damaged": {},
    }
    for name, owner in owners.items():
        (builds / name).mkdir(parents=True)
        (builds / name / "owner.json").write_text(json.dumps(owner))
    (builds / "ownerless").mkdir()
    discard_dead_builds(settings)
    assert [each.name for each in builds.iterdir()] == ["alive"]

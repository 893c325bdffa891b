"""A check of a whole state folder: gold, the last run's report, two checks at once, people."""

import json
import multiprocessing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from lakehouse.errors import LakeError
from lakehouse.settings import Settings
from reports.alerts.actions import acknowledge
from reports.alerts.contributors import contributors
from reports.alerts.store import open_store, store_path
from reports.alerts.watch import check_now
from tests.gold_files import ORDERS_GROUPED, serve_gold
from tests.reports.alerts.receiver import receiver
from tests.reports.alerts.shop import FIRST, day

NOW = datetime(2012, 4, 1, 12, 0, tzinfo=UTC)
RULES = """
[rules.fell]
kind = "change"
kpi = "order_count"
fire_below = -0.5
severity = "critical"
group = "sales"
meaning = "m"
remedy = "r"
[rules.red]
kind = "gate"
fire_above = 0
severity = "critical"
group = "data"
meaning = "m"
remedy = "r"
"""
DAYS = 72
BAD = 70


def served(tmp_path: Path, **options: Any) -> Settings:
    """A state with ten orders a day, one on day 70, all of two countries and two products."""
    rules = tmp_path / "rules.toml"
    rules.write_text(RULES, encoding="utf-8")
    home = tmp_path / "state"
    settings = Settings(home=home, alert_rules=rules, kafka_bootstrap="127.0.0.1:1", **options)
    lines = f"""create table gold.fct_order_lines as
      select date '{FIRST}' + d::int as order_date, 'erp' as source_system,
        case when n < 3 then 'France' else 'United <b>Kingdom' end as country,
        'o' || d || '-' || n as order_id, 'sale' as line_class, 'c' || n as customer_id,
        case when n < 5 then '=1+1' else 'S2' end as sku,
        case when n < 5 then 'HEART {{{{x}}}}' else 'TEA' end as description,
        2 as quantity, 5.00::decimal(18, 4) as line_amount
      from range({DAYS}) as r(d), range(10) as s(n) where d <> {BAD} or n = 0"""
    serve_gold(
        settings,
        lines,
        ORDERS_GROUPED,
        """create table gold.dim_products as
          select distinct sku, description, true as is_current from gold.fct_order_lines""",
        """create table gold.fct_daily_kpis as select order_date as kpi_date, 'order_count' as kpi,
          count(distinct order_id)::decimal(38, 4) as value, 'count' as unit
          from gold.fct_order_lines group by all""",
        """create table gold.fct_daily_sales as select order_date, source_system, country,
          count(distinct order_id) as order_count from gold.fct_order_lines group by all""",
    )
    return settings


def report(settings: Settings, **content: Any) -> None:
    settings.reports_dir.mkdir(parents=True, exist_ok=True)
    (settings.reports_dir / "latest.json").write_text(json.dumps(content), encoding="utf-8")


def test_a_check_names_the_value_the_expectation_and_who_is_behind_it(tmp_path: Path) -> None:
    with receiver() as found:
        settings = served(tmp_path, alert_webhook=found.url, alert_webhook_key="k" * 16)
        checked = check_now(settings, now=NOW)
        assert [(each.kind, each.rule) for each in checked.changes] == [("fired", "fell")]
        assert (checked.open, checked.sent.taken) == (1, 1)
        assert check_now(settings, now=NOW).changes == ()
    [(_, body)] = found.requests
    [alert] = json.loads(body)["alerts"]
    assert (alert["value"], alert["expected"], alert["day"]) == (1, 10, day(BAD).isoformat())
    assert [
        (each["dimension"], each["name"], float(each["value"]), float(each["before"]))
        for each in alert["contributors"]
    ] == [
        ("source", "erp", 1, 10),
        ("country", "United <b>Kingdom", 0, 7),
        ("country", "France", 1, 3),
        ("product", "S2 TEA", 0, 5),
        ("product", "=1+1 HEART {{x}}", 1, 5),
    ]


def test_money_adds_up_over_the_members_of_each_dimension(tmp_path: Path) -> None:
    settings = served(tmp_path)
    from lakehouse.duck import open_gold

    with open_gold(settings) as gold:
        found = contributors(gold, "gross_revenue", day(BAD), [day(63), day(56)])
        assert contributors(gold, "return_rate", day(BAD), []) == []
    sums = {
        name: (
            sum(each.value for each in found if each.dimension == name),
            sum(each.before for each in found if each.dimension == name),
        )
        for name in ("source", "country", "product")
    }
    assert sums == dict.fromkeys(("source", "country", "product"), (5, 50))


def test_the_gates_and_audits_of_the_last_run_are_judged_and_a_run_without_them_is_not(
    tmp_path: Path,
) -> None:
    settings = served(tmp_path)
    rows = [
        {"rule": "a", "severity": "warn", "status": "failed", "success": False},
        {"rule": "b", "severity": "block", "status": "failed", "success": False},
    ]
    kinds = []
    for quality in (rows, [], rows[:1]):
        report(settings, verdict="failed", quality=quality, reconciliation=[])
        changes = check_now(settings, now=NOW).changes
        kinds.append([each.kind for each in changes if each.rule == "red"])
    assert kinds == [["fired"], [], ["resolved"]]


def test_before_the_first_publish_the_platform_is_judged_all_the_same(tmp_path: Path) -> None:
    rules = tmp_path / "rules.toml"
    rules.write_text(RULES, encoding="utf-8")
    settings = Settings(home=tmp_path / "state", alert_rules=rules)
    assert check_now(settings, now=NOW).changes == ()
    report(settings, quality=[{"rule": "b", "status": "error", "success": False}])
    assert [each.rule for each in check_now(settings, now=NOW).changes] == ["red"]


def _check(home: str, rules: str, url: str) -> int:
    settings = Settings(
        home=Path(home), alert_rules=Path(rules), alert_webhook=url, alert_webhook_key="k" * 16
    )
    return len(check_now(settings, now=NOW).changes)


def test_two_checks_at_once_fire_once_and_send_once(tmp_path: Path) -> None:
    with receiver() as found:
        settings = served(tmp_path)
        arguments = [(str(settings.home), str(settings.alert_rules), found.url)] * 2
        with multiprocessing.get_context("spawn").Pool(2) as pool:
            changes = pool.starmap(_check, arguments)
    assert sorted(changes) == [0, 1]
    assert len(found.requests) == 1


def test_people_acknowledge_open_alerts_once_and_by_a_name(tmp_path: Path) -> None:
    settings = served(tmp_path)
    check_now(settings, now=NOW)
    with pytest.raises(LakeError, match=r"no alert 9: `lake alerts list`"):
        acknowledge(settings, 9, by="Jo")
    with pytest.raises(LakeError, match="give --by a name"):
        acknowledge(settings, 1, by=" \x07 ")
    found = acknowledge(settings, 1, by="Jo\x1b[31m", note="mending")
    assert (found.state, found.acknowledged_by, found.note) == (
        "acknowledged",
        "Jo [31m",
        "mending",
    )
    with pytest.raises(LakeError, match="Alert 1 is acknowledged by Jo"):
        acknowledge(settings, 1, by="Al")
    with open_store(settings) as store:
        assert [kind for _, kind, _ in store.events(1)] == ["fired", "acknowledged"]


def test_a_damaged_store_is_named_with_what_to_do(tmp_path: Path) -> None:
    settings = served(tmp_path)
    check_now(settings, now=NOW)
    store_path(settings).write_bytes(b"no database" * 1000)
    with pytest.raises(LakeError, match=r"alerts\.sqlite can't be read or written .* Move the"):
        check_now(settings, now=NOW)

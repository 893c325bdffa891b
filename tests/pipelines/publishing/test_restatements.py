"""Restatements: what counts as one, and that only those of a real publish do."""

import sys
from datetime import date
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

import operations.cli
from lakehouse.ledger import chain, publishes
from lakehouse.settings import Settings
from lakehouse.state import claim
from pipelines.publishing import pointer
from pipelines.publishing.restatements import (
    Restatement,
    compare,
    of_published_runs,
    record,
    restate,
    summary,
)

FIRST, SECOND, THIRD = date(2011, 12, 1), date(2011, 12, 2), date(2011, 12, 3)
Kpi = tuple[date, str, str, str]


def gold(folder: Path, name: str, *kpis: Kpi) -> Path:
    path = folder / name
    with duckdb.connect(str(path)) as connection:
        connection.execute("create schema gold")
        connection.execute(
            "create table gold.fct_daily_kpis "
            "(kpi_date date, kpi varchar, value decimal(18, 4), unit varchar)"
        )
        connection.executemany("insert into gold.fct_daily_kpis values (?, ?, ?, ?)", kpis)
    return path


def published(run_id: str, file: str = "gold-a.duckdb") -> publishes.Published:
    return publishes.Published(run_id, file, {}, {}, 0, "2026-11-09T14:03:05.000Z")


def put(run_id: str, kind: str, settings: Settings) -> None:
    chain.write(publishes.CHAIN, {"kind": kind, "run_id": run_id}, settings=settings)


def test_a_changed_a_gone_and_a_new_kpi_of_a_known_day_are_restated_and_new_days_are_not(
    tmp_path: Path,
) -> None:
    before = gold(
        tmp_path,
        "before.duckdb",
        (FIRST, "net_revenue", "10.0001", "GBP"),
        (FIRST, "order_count", "2", "count"),
        (FIRST, "average_order_value", "5.0001", "GBP"),
        (SECOND, "net_revenue", "0", "GBP"),
    )
    after = gold(
        tmp_path,
        "after.duckdb",
        (FIRST, "net_revenue", "10.0002", "GBP"),
        (FIRST, "order_count", "2", "count"),
        (SECOND, "net_revenue", "0", "GBP"),
        (SECOND, "average_order_value", "1.5", "GBP"),
        (THIRD, "net_revenue", "7", "GBP"),
        (FIRST, "a_kpi_that_was_just_declared", "1", "count"),
    )
    assert compare(before, after, run_id="late") == [
        Restatement(FIRST, "average_order_value", "GBP", Decimal("5.0001"), None, "late"),
        Restatement(FIRST, "net_revenue", "GBP", Decimal("10.0001"), Decimal("10.0002"), "late"),
        Restatement(SECOND, "average_order_value", "GBP", None, Decimal("1.5000"), "late"),
    ]
    assert compare(after, after, run_id="late") == []


def test_restatements_of_a_publish_that_did_not_take_place_do_not_count(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    old, new = Decimal("1.0000"), Decimal("2.5000")
    lasting = [
        Restatement(FIRST, "net_revenue", "GBP", old, new, "good"),
        Restatement(FIRST, "order_count", "count", None, old, "good"),
        Restatement(SECOND, "net_revenue", "GBP", new, None, "good"),
    ]
    record([Restatement(FIRST, "net_revenue", "GBP", old, new, "cut")], settings=settings)
    put("cut", "intent", settings)
    put("cut", "abandoned", settings)
    record(lasting, settings=settings)
    put("good", "published", settings)
    record([Restatement(THIRD, "net_revenue", "GBP", old, new, "blocked")], settings=settings)
    settings.gold_dir.mkdir()
    pointer.point_to(
        {"run_id": "good", "file": "gold-good.duckdb", "table_versions": {}}, settings=settings
    )

    assert of_published_runs(settings) == lasting
    assert summary(settings) == {
        "days": 2,
        "figures": 3,
        "rows": [each.row() for each in lasting],
        "all_days": 2,
        "all_figures": 3,
    }
    assert len(list(chain.lines("restatements", settings=settings))) == 4
    assert chain.breaks("restatements", settings=settings) == []


def test_a_first_publish_and_one_whose_predecessor_is_gone_have_nothing_to_compare(
    tmp_path: Path,
) -> None:
    settings = Settings(home=tmp_path)
    settings.gold_dir.mkdir()
    built = gold(tmp_path, "built.duckdb", (FIRST, "net_revenue", "1", "GBP"))
    assert restate(built, None, run_id="first", settings=settings) is None
    assert restate(built, published("lost"), run_id="second", settings=settings) is None
    gold(settings.gold_dir, "gold-a.duckdb", (FIRST, "net_revenue", "2", "GBP"))
    assert restate(built, published("a"), run_id="third", settings=settings) == 1
    (line,) = chain.lines("restatements", settings=settings)
    assert (line["run_id"], line["day"]) == ("third", "2011-12-01")
    assert line["kpis"] == {"net_revenue": ["GBP", "2.0000", "1.0000"]}


def test_the_command_lists_what_was_restated_exactly_and_the_reset_asks_for_a_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LAKE_HOME", str(tmp_path))
    settings = Settings(home=tmp_path)
    claim(settings)

    def lake(*words: str) -> tuple[int | str | None, str]:
        monkeypatch.setattr(sys, "argv", ["lake", *words])
        with pytest.raises(SystemExit) as end:
            operations.cli.main()
        shown = capsys.readouterr()
        return end.value.code, " ".join((shown.out + shown.err).split())

    assert lake("restatements") == (0, "No published KPI was changed by a later publish.")
    for run_id, value in (("one", "2.5000"), ("two", "1234567.8900")):
        found = Restatement(FIRST, "net_revenue", "GBP", None, Decimal(value), run_id)
        record([found], settings=settings)
        put(run_id, "published", settings)
    code, text = lake("restatements")
    assert code == 0
    assert text == (
        "Day KPI Unit Before After Run 2011-12-01 net_revenue GBP none 2.5000 one "
        "2011-12-01 net_revenue GBP none 1234567.8900 two 2 in all."
    )
    assert lake("restatements", "--limit", "1")[1].endswith("two The newest 1 of 2.")
    assert lake("restatements", "--run", "one")[1].endswith("2.5000 one 1 in all.")

    for words in (("refine", "--accept-loss", "why"), ("ingest", "--accept-loss", " ")):
        code, text = lake("reset", *words)
        assert (code, "Only ingest can lose records" in text) == (2, True)

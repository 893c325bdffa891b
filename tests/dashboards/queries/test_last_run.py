"""The report of the last run: read as values, tolerant of what it lacks."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from dashboards.queries.last_run import (
    Check,
    Equation,
    LastRun,
    Stage,
    parse_last_run,
    read_last_run,
)
from lakehouse.errors import LakeError


def test_a_whole_report_is_read(shop: Any) -> None:
    shop.report()
    assert read_last_run(shop.settings) == LastRun(
        run_id="run-1",
        command="lake demo --once",
        started_at=datetime(2026, 11, 9, 14, 1, 20, tzinfo=UTC),
        finished_at=datetime(2026, 11, 9, 14, 3, 5, tzinfo=UTC),
        verdict="passed",
        message="",
        wall_seconds=105.2,
        cpu_seconds=61.0,
        peak_pss_bytes=3 * 1024**3,
        stages=(
            Stage("ingest", "done", 12, 12, 3.0, None, ""),
            Stage("refine", "done", 12, 9, 65.2, None, ""),
        ),
        checks=(
            Check(
                "silver.order_lines",
                "sku.filled",
                "A sale has a stock code.",
                "block",
                "passed",
                True,
                "",
                "",
            ),
            Check(
                "silver.order_lines",
                "customer_id.rate",
                "column values to be in set",
                "warn",
                "failed",
                False,
                "25 % unknown",
                "",
            ),
        ),
        equations=(
            Equation(
                "R5",
                "Money produced = accepted",
                "1,234,567.8900",
                "1,234,567.8900",
                "0.0000",
                True,
            ),
        ),
        refused=(("bad_date", 2),),
        versions=(("spark", "4.2.0"),),
    )


def test_before_the_first_run_there_is_none(shop: Any) -> None:
    assert read_last_run(shop.settings) is None


@pytest.mark.parametrize("content", [b"", b"{cut off", b"[]", b"\xff\xfe", b"[" * 100_000])
def test_an_unreadable_report_is_named(shop: Any, content: bytes) -> None:
    path = Path(shop.settings.reports_dir) / "latest.json"
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    with pytest.raises(LakeError, match=r"latest\.json cannot be read"):
        read_last_run(shop.settings)


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"stages": None, "quality": "none", "reconciliation": {}, "quarantine": 3, "versions": []},
        {"stages": [None, {}, "x"], "quality": [{}], "reconciliation": [{}], "quarantine": [{}]},
        {"run_id": 7, "wall_seconds": "long", "peak_pss_bytes": True, "finished_at": "yesterday"},
    ],
)
def test_missing_and_odd_keys_never_fail(content: dict[str, Any]) -> None:
    run = parse_last_run(json.loads(json.dumps(content)))
    assert run.wall_seconds is None
    assert run.peak_pss_bytes is None
    assert run.finished_at is None
    assert not run.is_failed


def test_a_check_that_could_not_run_blocks_whatever_its_severity() -> None:
    row = {"severity": "warn", "status": "error", "success": False}
    (check,) = parse_last_run({"quality": [row]}).checks
    assert check.is_blocking

"""One ledger line per commit, derived from the commits themselves, each once."""

import hashlib
import os
from pathlib import Path

import pytest

from lakehouse.contracts.tables import ORDER_LINES, TABLES
from lakehouse.duck import open_lake
from lakehouse.ledger import chain, commits
from lakehouse.tables import current_versions, location
from quality.audit.equation import Pinned
from quality.audit.files import tables_are_as_recorded
from tests.lake_state import LakeState, erp

pytestmark = pytest.mark.spark


def test_each_commit_gets_one_line_with_its_digests_and_facts(lake: LakeState) -> None:
    assert commits.derive(lake.settings) == len(TABLES)
    lake.land(erp(0), erp(1, Quantity="7"), erp(2))
    lake.refine()
    assert commits.derive(lake.settings) == 3
    assert commits.derive(lake.settings) == 0

    lines = list(chain.lines(commits.CHAIN, settings=lake.settings))
    (line,) = [each for each in lines if each["table"] == ORDER_LINES.name and each["version"] == 1]
    root = Path(location(ORDER_LINES, settings=lake.settings))
    log = root / "_delta_log" / f"{1:020}.json"
    assert line["commit_sha256"] == hashlib.sha256(log.read_bytes()).hexdigest()
    assert line["added"] == {
        str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in root.rglob("*.parquet")
    }
    assert (line["query"], line["batch_id"], line["rows"]) == ("refine", 0, 2)
    assert line["amounts"] == {
        "erp.invoice_lines.v1": {"accepted": "33.1500", "redelivered": "15.3000"}
    }
    (landed,) = [each for each in lines if "ranges" in each]
    assert landed["ranges"] == {"erp.invoice_lines.v1": {"0": [0, 3]}}
    assert chain.breaks(commits.CHAIN, settings=lake.settings) == []


def test_a_rebuilt_table_starts_over_and_its_old_versions_mean_nothing(lake: LakeState) -> None:
    settings, name = lake.settings, ORDER_LINES.name
    lake.land(erp(0))
    lake.refine()
    commits.derive(settings)
    pinned, rebuilt = current_versions(settings), commits.rebuildings(settings)
    assert commits.comparable(pinned, rebuilt, settings=settings) == pinned

    log = Path(location(ORDER_LINES, settings=settings)) / "_delta_log"
    kept = (log / f"{0:020}.json").read_bytes()
    commits.mark_rebuilt(ORDER_LINES, identity="a", settings=settings)
    commits.mark_rebuilt(ORDER_LINES, identity="a", settings=settings)
    assert commits.rebuildings(settings) == {name: 1}
    (log / f"{1:020}.json").unlink()
    (log / f"{0:020}.json").write_bytes(kept + b"\n")
    assert commits.derive(settings) == 1
    versions = [line["version"] for line in commits.commits(settings) if line["table"] == name]
    assert versions == [0]
    assert commits.comparable(pinned, rebuilt, settings=settings) == {
        table: version for table, version in pinned.items() if table != name
    }


@pytest.mark.parametrize("left", [0, 40])
def test_a_damaged_commit_is_never_recorded_as_sound(lake: LakeState, left: int) -> None:
    settings = lake.settings
    lake.land(erp(0))
    lake.refine()
    log = Path(location(ORDER_LINES, settings=settings)) / "_delta_log"
    os.truncate(log / f"{1:020}.json", left)
    commits.derive(settings)
    lines = [line for line in commits.commits(settings) if line["table"] == ORDER_LINES.name]
    assert [line["version"] for line in lines] == [0]
    with open_lake(settings) as connection:
        pinned = Pinned(connection, settings, current_versions(settings))
        found = tables_are_as_recorded(pinned, since={}).differences
    name = ORDER_LINES.name
    damaged = f"{name} version 1: its commit file is damaged (fix: `lake repair {name}`)"
    assert found == (damaged,)


def test_a_data_file_that_was_gone_before_it_was_recorded_is_missing(lake: LakeState) -> None:
    settings = lake.settings
    lake.land(erp(0))
    lake.refine()
    (path,) = Path(location(ORDER_LINES, settings=settings)).rglob("*.parquet")
    path.unlink()
    commits.derive(settings)
    with open_lake(settings) as connection:
        pinned = Pinned(connection, settings, current_versions(settings))
        (found,) = tables_are_as_recorded(pinned, since={}).differences
    assert f"{path.name} is missing" in found

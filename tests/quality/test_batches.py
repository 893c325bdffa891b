"""One ledger line per commit, derived from the commits themselves, each once."""

import hashlib
from pathlib import Path

import pytest

from lakehouse.contracts.tables import ORDER_LINES, TABLES
from lakehouse.tables import location
from quality import batches, ledger
from tests.lake_state import LakeState, erp

pytestmark = pytest.mark.spark


def test_each_commit_gets_one_line_with_its_digests_and_facts(lake: LakeState) -> None:
    assert batches.derive(lake.settings) == len(TABLES)
    lake.land(erp(0), erp(1, Quantity="7"), erp(2))
    lake.refine()
    assert batches.derive(lake.settings) == 3
    assert batches.derive(lake.settings) == 0

    lines = list(ledger.lines(batches.CHAIN, settings=lake.settings))
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
    assert ledger.breaks(batches.CHAIN, settings=lake.settings) == []

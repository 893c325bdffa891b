"""R4 names a loser whose winner is not accepted, wherever the loser lies."""

import pytest

from lakehouse.contracts.tables import DUPLICATES, QUARANTINE, Table
from lakehouse.contracts.topics import ERP_INVOICE_LINES
from lakehouse.duck import open_lake
from lakehouse.tables import current_versions, location
from quality.audit.dispositions import every_record_has_one_place
from quality.audit.equation import Pinned
from tests.lake_state import LakeState, erp

pytestmark = pytest.mark.spark

ERP = ERP_INVOICE_LINES.name


@pytest.mark.parametrize(
    ("table", "change", "named"),
    [
        (QUARANTINE, {"detail": f"'lost to {ERP}/0/1'"}, f"{ERP}/0/2 is a conflict but"),
        pytest.param(
            *(QUARANTINE, {"detail": "null"}, f"{ERP}/0/2 is a conflict but"),
            marks=pytest.mark.slow,
        ),
        (DUPLICATES, {"identity": "'another'"}, f"{ERP}/0/1 is redelivered but"),
    ],
    ids=["conflict with a loser", "conflict with nobody", "duplicate of nothing"],
)
def test_a_loser_must_name_an_accepted_record(
    lake: LakeState, table: Table, change: dict[str, str], named: str
) -> None:
    from delta.tables import DeltaTable

    lake.land(erp(0), erp(1), erp(2, fields={"Country": "Spain"}))
    lake.refine()
    assert judged(lake) == ()
    DeltaTable.forPath(lake.spark, location(table, settings=lake.settings)).update(set=change)
    (difference,) = judged(lake)
    assert difference.startswith(named)
    assert difference.endswith("is not accepted")


def judged(lake: LakeState) -> tuple[str, ...]:
    with open_lake(lake.settings) as connection:
        pinned = Pinned(connection, lake.settings, current_versions(lake.settings))
        return every_record_has_one_place(pinned).differences

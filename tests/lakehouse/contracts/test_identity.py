"""An identity is the same in Python and in SQL, whatever the id."""

import pytest

from lakehouse.contracts.identity import identity_sql, line_identity
from lakehouse.contracts.topics import ERP_INVOICE_LINES, WEB_ORDERS
from lakehouse.duck import open_memory

HASH = "0123456789abcdef" * 4
IDS = {
    f"20111017-{HASH}-1": f"20111017-{HASH}",
    f"20111017-{HASH}-23": f"20111017-{HASH}",
    f"{HASH}-1": HASH,
    HASH: HASH,
    f"20111017-{HASH}": f"20111017-{HASH}",
    f"20111017-{HASH}-": f"20111017-{HASH}-",
    f"2011-{HASH}-1": f"2011-{HASH}-1",
    f"20111017-{HASH.upper()}-1": f"20111017-{HASH.upper()}-1",
    f"20111017-{HASH}-1\n": f"20111017-{HASH}-1\n",
    f"a{HASH}-1": f"a{HASH}-1",
    f"20111017-{HASH}-\u06f1": f"20111017-{HASH}-\u06f1",
    "": "",
}


@pytest.mark.parametrize("event_id", IDS)
def test_occurrences_of_an_erp_line_share_their_identity(event_id: str) -> None:
    assert line_identity(event_id) == IDS[event_id]
    topics = (ERP_INVOICE_LINES.name, WEB_ORDERS.name)
    with open_memory() as duck:
        query = f"select {identity_sql('topic', 'id')} from (select ? as topic, ? as id)"
        found = [duck.execute(query, [topic, event_id]).fetchone() for topic in topics]
    assert found == [(IDS[event_id],), (event_id,)]

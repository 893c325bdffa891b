"""What duplicates of a record share: for the ERP the line, for all others the `event_id`.

In: an event_id. Out: the identity, in Python and in SQL. An ERP event_id is the line's day and
hash, and the number of its occurrence in the extract; every occurrence is the same line.
"""

import re

from lakehouse.contracts.topics import ERP_INVOICE_LINES

_FORM = "((?:[0-9]{8}-)?[0-9a-f]{64})-[0-9]+"
_ERP_EVENT_ID = re.compile(_FORM)


def line_identity(event_id: str) -> str:
    """An ERP line's identity; an id of another form is its own."""
    found = _ERP_EVENT_ID.fullmatch(event_id)
    return found[1] if found else event_id


def identity_sql(topic: str, event_id: str) -> str:
    """SQL of a record's identity, by SQL of its topic and its event_id."""
    line = f"regexp_replace({event_id}, '^{_FORM}$', '\\1')"
    return f"case when {topic} = '{ERP_INVOICE_LINES.name}' then {line} else {event_id} end"

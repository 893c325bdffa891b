"""The message about a query that failed."""

import pytest

from lakehouse.errors import LakeError
from streaming.queries import query_error

IN_A_BATCH = """[STREAM_FAILED] Query [id = e84] terminated with exception:
An error occurred in the user's function. Return Message: Traceback (most recent call last):
  File "py4j/clientserver.py", line 644, in _call_proxy
    return_value = getattr(self.pool[obj_id], method)(*params)
                   ^^^^^^^^^^
  File "streaming/ingest.py", line 66, in land
    append_rows(
{}

\tat py4j.Protocol.getReturnValue(Protocol.java:476)
"""


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            IN_A_BATCH.format("lakehouse.errors.LakeError: The file x is damaged. Do y."),
            "The file x is damaged. Do y.",
        ),
        (
            IN_A_BATCH.format("RuntimeError: planted"),
            "The query 'ingest' failed: RuntimeError: planted",
        ),
        (IN_A_BATCH.format("KeyError"), "The query 'ingest' failed: KeyError: "),
        (
            IN_A_BATCH.format("OSError: [Errno 28] No space left on device"),
            (
                "The query 'ingest' stopped because the disk is full. Free some space and run the "
                "command again: it goes on where it stopped."
            ),
        ),
        ("[STREAM_FAILED] short\n\tat java", "The query 'ingest' failed: [STREAM_FAILED] short"),
        ("\n", "The query 'ingest' failed: no message"),
    ],
)
def test_a_failed_query_tells_its_cause_in_plain_words(text: str, told: str) -> None:
    found = query_error("ingest", text)
    assert type(found) is LakeError
    assert str(found) == told


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("TimeoutException: Timed out", "lost the Kafka broker"),
        ("OffsetOutOfRangeException", "Kafka deleted records"),
        ("ChecksumException: Checksum error: f", "`lake reset ingest`"),
        ("IllegalStateException: Incomplete log file in the offset log", "`lake reset ingest`"),
    ],
)
def test_known_causes_come_with_what_to_do(text: str, part: str) -> None:
    assert part in str(query_error("ingest", text))

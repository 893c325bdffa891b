"""What the check of each message against its contract costs of producing the whole history.

In: a running broker (`lake broker start`) and the embedded history. Out: CPU seconds of producing
it without the check, of checking the same messages, and the ratio. The records stay in that
broker's topics: use a LAKE_HOME of its own.
Run standalone: `.venv/bin/python bench/contract_cost.py`.
"""

import platform
import statistics
import time
from datetime import UTC, datetime

from lakehouse.contracts.validation import Refusal, refusal_of
from lakehouse.settings import Settings
from storefront.erp.extract import read_extract
from storefront.erp.replay import erp_messages
from streaming import producer
from streaming.sources import History, send_history

ROUNDS = 5


def _unchecked(value: bytes, topic_name: str) -> Refusal | None:  # noqa: ARG001 - same signature
    return None


def main() -> None:
    """Print both and the ratio."""
    producer.refusal_of = _unchecked
    started = time.process_time()
    sent = send_history(History(resend=True), settings=Settings())
    producing = time.process_time() - started
    extract = read_extract(History().path)
    messages = list(erp_messages(extract, extracted_at=datetime.now(UTC)))
    rounds = []
    for _ in range(ROUNDS):
        started = time.process_time()
        refused = sum(refusal_of(each.value, each.topic) is not None for each in messages)
        rounds.append(time.process_time() - started)
    checking = statistics.median(rounds)
    print(
        f"{datetime.now(UTC):%Y-%m-%d}, {platform.machine()}, Python {platform.python_version()}: "
        f"{sent.records:,} records, {refused} refused; producing {producing:.2f} s of CPU without "
        f"the check, the check {checking:.2f} s, {checking / producing:.1%}"
    )


if __name__ == "__main__":
    main()

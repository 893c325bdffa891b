"""What the check of each message against its contract costs of producing the whole history.

In: a running broker (`lake broker start`) and the embedded history. Out: CPU seconds of producing
it with the check and without, in turns, and the ratio. The records stay in that broker's topics:
use a LAKE_HOME of its own. Alone: `.venv/bin/python bench/contract_cost.py [ROUNDS]`.
"""

import platform
import statistics
import sys
import time
from datetime import UTC, datetime

from lakehouse.contracts.conformance import Refusal
from lakehouse.settings import Settings
from pipelines.sources import History, send_history
from streaming import producer

_CHECK = producer.refusal_of


def _unchecked(value: bytes, topic_name: str) -> Refusal | None:  # noqa: ARG001 - same signature
    return None


def seconds_of(settings: Settings, *, with_check: bool) -> float:
    """CPU seconds of this process for sending the history once more."""
    producer.refusal_of = _CHECK if with_check else _unchecked
    started = time.process_time()
    sent = send_history(History(resend=True), settings=settings)
    taken = time.process_time() - started
    print(f"{'with' if with_check else 'without'} check: {sent.records:,} records, {taken:.2f} s")
    return taken


def main() -> None:
    """Print each round and the ratio of the medians."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    settings = Settings()
    found: dict[bool, list[float]] = {True: [], False: []}
    for _ in range(rounds):
        for with_check in (False, True):
            found[with_check].append(seconds_of(settings, with_check=with_check))
    plain, checked = statistics.median(found[False]), statistics.median(found[True])
    print(
        f"{datetime.now(UTC):%Y-%m-%d}, {platform.machine()}, Python {platform.python_version()}: "
        f"{plain:.2f} s without, {checked:.2f} s with the check, "
        f"{(checked / plain - 1) * 100:+.1f} % CPU"
    )


if __name__ == "__main__":
    main()

"""Whether the live figures of today are those of gold.

In: the newest messages of the live topic, and gold in service. Out: one sentence, or a failed check
that names each KPI that differs.
"""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from lakehouse.contracts.gold import FCT_DAILY_KPIS
from lakehouse.duck import open_gold
from lakehouse.errors import CheckFailed, LakeError
from lakehouse.settings import Settings
from pipelines.live.facts import TOPICS
from pipelines.live.figures import KPIS, TODAY
from streaming import kafka_admin
from streaming.live_topic import POSITIONS, newest_messages

Figures = dict[str, Decimal | None]


def await_told(settings: Settings) -> Callable[[], bool]:
    """A question: do the live figures hold all that lies in Kafka when this is called?"""
    ends = kafka_admin.end_offsets(settings.bootstrap, TOPICS)

    def is_told() -> bool:
        try:
            positions = _positions(newest_messages(settings))
        except LakeError:  # the broker is started again
            return False
        return all(positions.get(place, 0) >= end for place, end in ends.items())

    return is_told


def agreement(settings: Settings) -> str:
    """One sentence that says so. Raises: CheckFailed with each KPI that differs; LakeError."""
    day, live = live_today(settings)
    gold = gold_of(day, settings=settings)
    differing = [
        f"{kpi} is {live[kpi]} live and {gold.get(kpi)} in gold"
        for kpi in KPIS
        if live[kpi] != gold.get(kpi)
    ]
    if differing:
        raise CheckFailed(
            f"The live figures of {day} are not those of gold: {'; '.join(differing)}. "
            "Run `lake audit`, and start the live shop again: it counts the day again."
        )
    return (
        f"All {len(KPIS)} live KPIs of {day} equal gold: {live['order_count']} orders, "
        f"net revenue {live['net_revenue']}."
    )


def live_today(settings: Settings) -> tuple[str, Figures]:
    """Today, and its live KPIs as they were told last. Raises: LakeError when none were."""
    messages = newest_messages(settings)
    found = {kpi: messages.get(f"{kpi}/{TODAY}") for kpi in KPIS}
    days = {each["day"] for each in found.values() if each is not None}
    if None in found.values() or len(days) != 1:
        raise LakeError("No live figures have been told yet: `lake live` tells them.")
    return days.pop(), {kpi: _decimal(each) for kpi, each in found.items() if each is not None}


def gold_of(day: str, *, settings: Settings) -> Figures:
    """The KPIs of a day in the gold in service."""
    connection = open_gold(settings)
    try:
        rows = connection.execute(
            f"select kpi, value from {FCT_DAILY_KPIS} where kpi_date = cast(? as date)", [day]
        ).fetchall()
    finally:
        connection.close()
    return dict(rows)


def _decimal(message: dict[str, Any]) -> Decimal | None:
    value = message["value"]
    return None if value is None else Decimal(value)


def _positions(messages: dict[str, dict[str, Any]]) -> dict[tuple[str, int], int]:
    last = messages.get(f"{POSITIONS}/{TODAY}", {"rows": []})
    return {(row["topic"], row["partition"]): row["next_offset"] for row in last["rows"]}

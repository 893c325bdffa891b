"""Where the live figures begin to read, so that they hold all of the days that count.

In: silver as it is. Out: an offset per partition, before which no record is of these days. Silver
has every record before its newest ones settled, so what it does not hold yet comes later.
"""

from datetime import date

from lakehouse.contracts.tables import ORDER_LINES, WEB_EVENTS
from lakehouse.duck import delta_relation, open_lake
from lakehouse.settings import Settings
from lakehouse.tables import current_version
from pipelines.silver.days import Days

Place = tuple[str, int]


def begin_offsets(settings: Settings, *, since: date) -> dict[Place, int]:
    """The first offset to read by (topic, partition); partitions not named are read in whole.

    Args:
        settings: Where the state lies.
        since: First day of the shop that counts.
    """
    parts = [
        f"""select source_topic as topic, source_partition as part,
            min(source_offset) filter ({Days(since).rows_of(table)}) as first,
            max(source_offset) + 1 as next
        from {delta_relation(settings, table.name)} group by all"""
        for table in (ORDER_LINES, WEB_EVENTS)
        if current_version(table, settings=settings) is not None
    ]
    if not parts:
        return {}
    with open_lake(settings) as lake:
        rows = lake.execute(f"""
            select topic, part, coalesce(min(first), max(next))
            from ({" union all ".join(parts)}) group by all""").fetchall()
    return {(topic, part): offset for topic, part, offset in rows}

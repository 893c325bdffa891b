"""Part of R4: a record that lost names the record it lost to, and that one is accepted.

In: pinned silver. Out: differences by position. Superseded records are judged from the last audited
cut on, winners are looked for in all of silver.
"""

from lakehouse.contracts.identity import identity_sql
from lakehouse.contracts.tables import DUPLICATES, ENTITIES, QUARANTINE
from quality.audit.equation import NAMED, Pinned


def unnamed_losers(pinned: Pinned) -> list[str]:
    """Duplicates and conflicts whose winner nobody accepted; they count as lost."""
    return [*_duplicates_of_nothing(pinned), *_conflicts_with_nothing(pinned)]


def _duplicates_of_nothing(pinned: Pinned) -> list[str]:
    superseded = pinned.recent(DUPLICATES.name)
    if not _rows(pinned, superseded):
        return []
    accepted = " union all ".join(
        f"select {identity_sql('source_topic', 'event_id')} as identity "
        f"from {pinned.relation(entity.name)}"
        for entity in ENTITIES
    )
    found = pinned.rows(
        'select topic, "partition", "offset", disposition '
        f"from {superseded} as l anti join ({accepted}) as a using (identity) "
        f"order by all limit {NAMED}"
    )
    return [
        f"{topic}/{part}/{pos} is {disposition} but the record it repeats is not accepted"
        for topic, part, pos, disposition in found
    ]


def _conflicts_with_nothing(pinned: Pinned) -> list[str]:
    quarantine = pinned.recent(QUARANTINE.name)
    superseded = f"(from {quarantine} where reason = 'conflict' and replayed_at is null)"
    if not _rows(pinned, superseded):
        return []
    accepted = " union all ".join(
        "select 'lost to ' || source_topic || '/' || source_partition || '/' || source_offset "
        f"as detail from {pinned.relation(entity.name)}"
        for entity in ENTITIES
    )
    found = pinned.rows(
        'select topic, "partition", "offset" '
        f"from {superseded} as l anti join ({accepted}) as a using (detail) "
        f"order by all limit {NAMED}"
    )
    return [
        f"{topic}/{part}/{pos} is a conflict but the record it lost to is not accepted"
        for topic, part, pos in found
    ]


def _rows(pinned: Pinned, relation: str) -> int:
    return int(pinned.rows(f"select count(*) from {relation}")[0][0])

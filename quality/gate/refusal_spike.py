"""A refusal spike: so many of one source's new records were refused that gold has to wait.

In: the ledger's commits, and bronze and quarantine at pinned versions. Out: one row of the gate.
Shares are counted per source, so that a small broken file can't hide behind a busy web shop. A
refusal counts no more once a replay took it, or once the same line was sent again and accepted.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lakehouse.contracts import dead_letter_topic
from lakehouse.contracts.tables import BRONZE_EVENTS, QUARANTINE
from lakehouse.contracts.topics import ERP_INVOICE_LINES, SOURCE_TOPICS, WEB_ORDERS
from lakehouse.duck import delta_relation, open_lake
from lakehouse.errors import LakeError
from lakehouse.ledger import chain, commits, publishes
from lakehouse.settings import Settings
from lakehouse.shop_format import counted
from quality.gate.verdicts import QualityRow

if TYPE_CHECKING:
    import duckdb

RULE = "refusals.few_per_source"

FEW_RECORDS = 100
"""Refused records of a source up to which a small share doesn't block."""

SMALL_SHARE = 20
"""One refused record in so many (5 %) is a small share."""

_SOURCE_OF = {
    name: topic.name
    for topic in SOURCE_TOPICS
    for name in (topic.name, dead_letter_topic(topic.name))
}


@dataclass(frozen=True)
class SourceRefusals:
    """What became of one source's records since the last publish.

    Attributes:
        records: New records of the topic and of its dead letters.
        refused: Of these, the ones that are still refused.
        refused_again: Older records that a backfill or repair refuses since.
    """

    topic: str
    records: int
    refused: int
    refused_again: int = 0

    @property
    def is_spike(self) -> bool:
        """More than half, whatever the number; or more than 5 % and more than a hundred."""
        refused = self.refused + self.refused_again
        is_many = (
            refused > FEW_RECORDS and refused * SMALL_SHARE > self.records + self.refused_again
        )
        return self.refused * 2 > self.records or is_many

    def __str__(self) -> str:
        refused, records = self.refused + self.refused_again, self.records + self.refused_again
        return f"{counted(refused)} of {counted(records)} records refused in {self.topic}"


def spike_row(sources: Sequence[SourceRefusals], *, run_id: str = "RUN") -> QualityRow:
    """The gate's verdict, with the ways out when it fails.

    Args:
        sources: What became of each source's records.
        run_id: Run that could be accepted as it is.
    """
    spikes = [source for source in sources if source.is_spike]
    shown = spikes or [source for source in sources if source.refused or source.refused_again]
    ways_out = (
        "See the reasons with `lake quarantine list`. Correct the source and send it again: a "
        "refusal counts no more once its line is accepted. Or, after a change of a rule, run "
        "`lake quarantine replay`. Or take it as it is with "
        f"`lake publish --accept {run_id} --reason …`."
    )
    return {
        "rule": RULE,
        "suite": "refusals",
        "table": QUARANTINE.name,
        "expectation": "refusal_spike",
        "column": "",
        "severity": "block",
        "status": "failed" if spikes else "passed",
        "success": not spikes,
        "observed": (", ".join(map(str, shown)) or "no record refused")
        + " since the last publish.",
        "detail": ways_out if spikes else "",
        "meaning": "Of a source's new records at most half, and at most 5 % or 100, are refused.",
    }


def refusals(
    settings: Settings,
    *,
    versions: Mapping[str, int],
    since: Mapping[str, int],
    since_batch: int | None,
) -> list[SourceRefusals]:
    """What became of each source's records since the last publish.

    Args:
        settings: Where the state lies.
        versions: Pinned version by table name.
        since: Versions of the last publish that can still be compared; empty without one.
        since_batch: Newest refine batch that published gold holds; None without one.
    """
    marks, records = _landed(settings, versions=versions, since=since.get(BRONZE_EVENTS.name, -1))
    with open_lake(settings) as lake:
        lake.execute("create temp table marks (topic varchar, part bigint, reached bigint)")
        if marks:
            rows = [(*place, reached) for place, reached in marks.items()]
            lake.executemany("insert into marks values (?, ?, ?)", rows)
        # A rebuilt quarantine has new batch numbers in every row: only new positions are new then.
        is_late = f"refined_batch > {since_batch}" if QUARANTINE.name in since else "false"
        lake.execute(
            "create temp table refused as "
            'select q.topic, q."partition" as part, q."offset" as pos, reason, raw_value, '
            'q."offset" >= coalesce(reached, 0) as is_new '
            f"from {delta_relation(settings, QUARANTINE.name, version=versions[QUARANTINE.name])} "
            'as q left join marks on marks.topic = q.topic and marks.part = q."partition" '
            f"where replayed_at is null and (is_new or {is_late})"
        )
        found = _counted(lake, records)
        if any(source.is_spike for source in found):
            bronze = delta_relation(
                settings, BRONZE_EVENTS.name, version=versions[BRONZE_EVENTS.name]
            )
            for source in found:
                if source.is_spike:
                    _drop_superseded(lake, bronze, source.topic)
            found = _counted(lake, records)
    return found


def _landed(
    settings: Settings, *, versions: Mapping[str, int], since: int
) -> tuple[dict[tuple[str, int], int], Counter[str]]:
    """Where bronze ended by partition at the last publish, and new records by source."""
    marks: dict[tuple[str, int], int] = {}
    records: Counter[str] = Counter()
    for line in commits.commits(settings):
        if line["table"] != BRONZE_EVENTS.name or line["version"] > versions[BRONZE_EVENTS.name]:
            continue
        for topic, partitions in (line.get("ranges") or {}).items():
            for partition, (start, end) in partitions.items():
                place = topic, int(partition)
                if line["version"] <= since:
                    marks[place] = max(end, marks.get(place, 0))
                else:
                    records[_SOURCE_OF.get(topic, topic)] += end - start
    return marks, records


def _counted(lake: "duckdb.DuckDBPyConnection", records: Mapping[str, int]) -> list[SourceRefusals]:
    new: Counter[str] = Counter()
    late: Counter[str] = Counter()
    for topic, is_new, number in lake.execute(
        "select topic, is_new, count(*) from refused group by all"
    ).fetchall():
        (new if is_new else late)[_SOURCE_OF.get(topic, topic)] += number
    topics: Iterable[str] = sorted(records.keys() | new.keys() | late.keys())
    return [SourceRefusals(each, records.get(each, 0), new[each], late[each]) for each in topics]


def _drop_superseded(lake: "duckdb.DuckDBPyConnection", bronze: str, topic: str) -> None:
    """Forget refusals of a source whose line came again later and was not refused.

    A line is the same by its number in its invoice, a web order by its id, any other record by its
    event_id. A conflict is no such refusal: its event_id was accepted before.
    """
    dead = dead_letter_topic(topic)
    lake.execute(
        f"create or replace temp table arrived as select *, {_key_of(topic)} as key from ("
        'select b.topic, b."partition" as part, b."offset" as pos, kafka_at, '
        "r.pos is not null as is_refused, try(decode(b.value)) as text, "
        "case when b.topic = ? and json_valid(text) then text ->> '$.value' else text end as body, "
        "case when json_valid(body) then body end as message "
        f"from {bronze} as b left join marks on marks.topic = b.topic "
        'and marks.part = b."partition" left join refused as r '
        'on r.topic = b.topic and r.part = b."partition" and r.pos = b."offset" '
        'where b.topic in (?, ?) and (b."offset" >= coalesce(reached, 0) or is_refused) '
        "and reason is distinct from 'conflict') where key is not null",
        [dead, topic, dead],
    )
    lake.execute(
        "delete from refused where (topic, part, pos) in ("
        "select (mine.topic, mine.part, mine.pos) from arrived as mine join arrived as later "
        "using (key) where mine.is_refused and not later.is_refused "
        "and (later.kafka_at > mine.kafka_at "
        "or (later.topic = mine.topic and later.part = mine.part and later.pos > mine.pos)))"
    )


def _key_of(topic: str) -> str:
    """What makes a record of a source the same fact as an earlier one, as SQL over `message`."""
    if topic == ERP_INVOICE_LINES.name:
        invoice = r"regexp_replace(trim(message ->> '$.InvoiceNo'), '^([0-9]+)\.0+$', '\1')"
        return f"nullif({invoice}, '') || '/' || (message ->> '$.line_number')"
    return "message ->> '$.order_id'" if topic == WEB_ORDERS.name else "message ->> '$.event_id'"


def accept_run(run_id: str, *, reason: str, settings: Settings) -> None:
    """Record that the refusals that blocked a run are accepted.

    Raises:
        LakeError: No refusal spike blocked that run.
    """
    blocked = publishes.lines(settings, "blocked", run_id=run_id)
    if not blocked or RULE not in blocked[-1]["rules"]:
        raise LakeError(
            f"No refusal spike blocked a run '{run_id}', so there is nothing to accept. "
            "The error of the blocked run names it."
        )
    line = {"kind": "accepted", "run_id": run_id, "reason": reason}
    chain.write("operations", line, settings=settings)

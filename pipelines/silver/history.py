"""All of bronze decided at once: what silver must hold, whatever streams did before.

In: bronze at one version. Out: a workspace in which every record of the asked days has its outcome,
winners decided over all of bronze. Record functions and rules of deduplication are the stream's.
"""

import contextlib
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from lakehouse.contracts import dead_letter_topic
from lakehouse.contracts.identity import identity_sql
from lakehouse.contracts.tables import BRONZE_EVENTS, Table
from lakehouse.duck import delta_relation
from lakehouse.settings import Settings
from lakehouse.tables import read
from pipelines.silver.days import Days, day_of
from pipelines.silver.known import SOURCE_PLACE
from pipelines.silver.parsing import record_functions
from pipelines.silver.routing import TopicRoute
from pipelines.silver.workspace import limit, open_workspace
from pipelines.transforms.deduplication import KNOWN_COLUMNS, PLACE, decide

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection
    from pyspark.sql import SparkSession


@contextlib.contextmanager
def decided_history(
    spark: "SparkSession",
    *,
    settings: Settings,
    routes: Sequence[TopicRoute],
    days: Days,
    bronze_version: int,
) -> "Iterator[DuckDBPyConnection]":
    """Open a workspace with the outcome of each record that concerns these days.

    These are the records whose day is one of them, those that silver holds on one of them, and all
    others that share an identity with one of these. Refused records of no readable day and dead
    letters come along only when everything is asked for.
    """
    topics = {route.topic.name for route in routes}
    if days.is_everything:
        topics |= {dead_letter_topic(name) for name in topics}
    functions = {name: read for name, read in record_functions().items() if name in topics}
    bronze = read(spark, BRONZE_EVENTS, settings=settings, version=bronze_version)
    with open_workspace(bronze, settings=settings, functions=functions, reads_delta=True) as lake:
        if not days.is_everything:
            _leave_concerned(lake, routes, days, settings=settings)
        lake.execute(f"create temp table known as select {KNOWN_COLUMNS} from records limit 0")
        decide(lake)
        yield lake


def changes_elsewhere(
    lake: "DuckDBPyConnection", *, settings: Settings, routes: Sequence[TopicRoute], days: Days
) -> tuple[int, Days]:
    """Records that enter or leave silver on other days than those asked for.

    It happens when a rule changed since: a record that is accepted now, or not any more, gives its
    place to one of another day. To write these days alone would double or lose a fact.

    Returns:
        How many, and days that hold all of them.
    """
    if days.is_everything:
        return 0, days
    _hold_accepted(lake, routes, settings=settings)
    found = lake.execute(f"""
        with before as (
            select {PLACE}, day from held
            where (topic, identity) in (select (topic, identity) from records)
        ), after as (
            select {PLACE}, day from records join (from decided where outcome = 'accepted') as d
            using ({PLACE})
        )
        select count(*), min(day), max(day)
        from ((from before except from after) union all (from after except from before))
        where not {days.hold("day")}""").fetchall()[0]
    return int(found[0]), Days(found[1], found[2])


def _hold_accepted(
    lake: "DuckDBPyConnection", routes: Sequence[TopicRoute], *, settings: Settings
) -> None:
    """Make the table `held`: place, identity and day of each record that silver has accepted."""
    parts = [
        f"""
        select distinct {SOURCE_PLACE}, {identity_sql("source_topic", "event_id")} as identity,
            {day_of(table)} as day
        from {delta_relation(settings, table.name)} where source_topic in ({_names(routes, table)})
        """
        for table in dict.fromkeys(route.tables[-1] for route in routes)
    ]
    lake.execute(f"create or replace temp table held as {' union all '.join(parts)}")


def _names(routes: Sequence[TopicRoute], table: Table) -> str:
    return ", ".join(f"'{route.topic.name}'" for route in routes if route.tables[-1] is table)


def _leave_concerned(
    lake: "DuckDBPyConnection", routes: Sequence[TopicRoute], days: Days, *, settings: Settings
) -> None:
    """Leave records of these days, records that silver holds on them, and all of their identity."""
    _hold_accepted(lake, routes, settings=settings)
    lake.execute(f"""
        create or replace temp table facts as
        select topic, identity from records where {days.hold("day")} and identity is not null
        union select topic, identity from held where {days.hold("day")}""")
    limit(
        lake,
        f"""(topic, identity) in (from facts) or (identity is null
            and ({PLACE}) in (select ({PLACE}) from held where {days.hold("day")}))""",
    )

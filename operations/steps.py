"""The steps of a daily run, each a function of the shared context; `operations.jobs` lists them.

In: the context. Out: new rows in bronze, silver or gold, and a stage in the log.
"""

from lakehouse.contracts.tables import BRONZE_EVENTS
from lakehouse.shop_format import counted
from lakehouse.tables import extend_tables
from operations.context import Context, alone
from pipelines.publishing.publish import publish as bring_into_service
from pipelines.silver.routing import BatchOutcome

FOLLOWED = "done by the streams that follow"


def ingest(context: Context) -> None:
    """Land every record that Kafka holds and bronze does not."""
    from operations import following
    from streaming import broker
    from streaming.ingest import QUERY, start_ingest
    from streaming.queries import await_end

    if following.are_following(context.settings):
        with context.log.stage("ingest") as stage:
            broker.require_running(context.settings)
            following.await_landed(context.settings)
            stage.note = FOLLOWED
        return
    with context.log.stage("ingest") as stage, alone(QUERY, context):
        broker.require_running(context.settings)
        spark = context.spark()
        before = bronze_rows(context)
        await_end(
            start_ingest(spark, settings=context.settings, follow=False),
            name=QUERY,
            watch=lambda: broker.require_alive(context.settings),
        )
        stage.rows_in = stage.rows_out = bronze_rows(context) - before
        stage.note = "records"


def refine(context: Context) -> None:
    """Refine every bronze row that silver does not have a place for."""
    from operations import following
    from streaming.queries import await_end
    from streaming.refine import QUERY, start_refine

    if following.are_following(context.settings):
        with context.log.stage("refine") as stage:
            following.await_refined(context.settings)
            stage.note = FOLLOWED
        return
    with context.log.stage("refine") as stage, alone(QUERY, context):
        outcomes: list[BatchOutcome] = []
        query = start_refine(
            context.spark(), settings=context.settings, follow=False, on_batch=outcomes.append
        )
        await_end(query, name=QUERY)
        stage.rows_in = sum(
            number
            for outcome in outcomes
            for found in outcome.records.values()
            for name, number in found.items()
            if not name.startswith("superseded_")
        )
        stage.rows_out = sum(outcome.count("accepted") for outcome in outcomes)
        stage.note = note_of(outcomes)


def publish(context: Context) -> None:
    """Judge silver, build gold, audit both, and bring gold into service."""
    from operations import following

    extend_tables(context.settings)
    bring_into_service(
        context.settings,
        outcome=context.outcome,
        log=context.log,
        workers=context.workers,
        accept_reason=context.options.get("accept_reason"),
        force=bool(context.options.get("force")),
        full_refresh=bool(context.options.get("full_refresh")),
        pin=following.versions_to_publish,
    )


def bronze_rows(context: Context) -> int:
    """Rows of bronze now."""
    from lakehouse.duck import delta_relation, open_lake

    with open_lake(context.settings) as lake:
        relation = delta_relation(context.settings, BRONZE_EVENTS.name)
        return int(lake.execute(f"select count(*) from {relation}").fetchall()[0][0])


def note_of(outcomes: list[BatchOutcome]) -> str:
    """What became of the records, in words."""
    parts = []
    for name in ("redelivered", "repeated", "conflict", "quarantined"):
        number = sum(outcome.count(name) for outcome in outcomes)
        if number:
            parts.append(f"{counted(number)} {name}")
    return ", ".join(parts) or ("accepted" if outcomes else "nothing new")

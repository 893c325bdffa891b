"""Thirty daily runs with late data, each on the last gold, against one full build of the end.

In: an empty folder. Out: a line a day that says what was rebuilt, then the checksum of every
table of both golds; exit code 1 when one differs.
Run standalone: `.venv/bin/python bench/incremental_equals_full.py FOLDER [--days 30]`.

A seeded shop trades; a part of its records arrives up to nine days late. Each day's arrivals land
in bronze, are refined by Spark as ever, and published with gate, tests and audit. In the middle the
version before comes back into service once, and a range of days is computed again.
"""

import argparse
import hashlib
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import duckdb
import pyarrow as pa

from lakehouse.contracts.arrow import arrow_schema
from lakehouse.contracts.tables import BRONZE_EVENTS
from lakehouse.settings import Settings
from lakehouse.stages import StageLog, TreeMeter
from lakehouse.tables import Transaction, append_rows
from operations.context import Context, open_context
from operations.recovery import backfill
from operations.steps import publish, refine
from pipelines.publishing.publish import PublishOutcome
from pipelines.publishing.rollback import roll_back
from pipelines.silver.days import Days
from storefront.messages import Message
from storefront.simulator import Catalog, ShopParameters, simulate
from storefront.simulator.catalog import KnownCustomer, Product

FIRST_DAY = date(2012, 1, 16)
CATALOG = Catalog(
    tuple(Product(f"{n:05d}", f"RED BAG NO {n}", 25 + 7 * n, 1 + n % 9) for n in range(60)),
    tuple(KnownCustomer(str(12_000 + n), ("France", "Spain")[n % 2], 1 + n % 5) for n in range(40)),
    date(2011, 12, 9),
)
PARAMETERS = ShopParameters(
    sessions_per_day=120, refund_rate=0.3, price_change_rate=0.02, profile_change_rate=0.02
)
LATE_RATE, LATEST_DAYS = 0.05, 9


def arrivals(days: int) -> list[list[Message]]:
    """Messages by the day on which they arrive; what would be later than the end comes at it."""
    random = Random(20120116)  # noqa: S311 - nothing secret
    found: defaultdict[int, list[Message]] = defaultdict(list)
    for number in range(days):
        for message in simulate(
            seed=11,
            start_date=FIRST_DAY + timedelta(days=number),
            days=1,
            catalog=CATALOG,
            parameters=PARAMETERS,
        ):
            late = random.randint(1, LATEST_DAYS) if random.random() < LATE_RATE else 0
            found[min(number + late, days - 1)].append(message)
    return [found[number] for number in range(days)]


def land(context: Context, messages: Sequence[Message], offsets: dict[str, int], day: int) -> None:
    """Append a day's arrivals to bronze as one batch of ingest."""
    at = datetime.combine(FIRST_DAY + timedelta(days=day), datetime.min.time(), UTC)
    rows: list[dict[str, Any]] = []
    names = BRONZE_EVENTS.column_names()
    ranges: dict[str, dict[str, list[int]]] = {}
    for each in messages:
        offset = offsets[each.topic] = offsets.get(each.topic, -1) + 1
        span = ranges.setdefault(each.topic, {}).setdefault("0", [offset, offset])
        span[1] = offset + 1
        row = (each.topic, 0, offset, each.key.encode(), each.value, None, None, at, at, day)
        rows.append(dict(zip(names, row, strict=True)))
    append_rows(
        pa.Table.from_pylist(rows, arrow_schema(BRONZE_EVENTS)).to_reader(),
        BRONZE_EVENTS,
        settings=context.settings,
        transaction=Transaction("landed-by-a-bench", day),
        metadata={"query": "ingest", "batch_id": day, "ranges": ranges},
    )


def run(context: Context, name: str, *steps: Callable[[Context], None], **options: str) -> str:
    """One run of steps; returns what the stage of gold says."""
    context.outcome = PublishOutcome(name)
    context.options = dict(options)
    context.log.stages.clear()
    for step in steps:
        step(context)
    return next(stage.note for stage in context.log.stages if stage.name == "gold")


def thirty_days(context: Context, days: int) -> None:
    """Run day after day; half-way go back to the version before, and compute days again."""
    settings, offsets = context.settings, dict[str, int]()
    for day, messages in enumerate(arrivals(days)):
        land(context, messages, offsets, day)
        note = run(context, f"day-{day + 1:02}", refine, publish)
        print(f"day {day + 1:2}: {len(messages):5,} records; {note}", flush=True)
        if day == days // 2:
            print(f"back to {roll_back(settings, reason='a bench goes back').run_id}", flush=True)
            again = Days(FIRST_DAY, FIRST_DAY + timedelta(days=3))
            backfill.run(context, {"operation": "backfill", **again.facts(), "table": None})


def checksums(gold: Path) -> Iterator[tuple[str, int, str]]:
    """Rows and SHA-256 of every table of a gold file: its rows in order, every column as text."""
    with duckdb.connect(str(gold), read_only=True) as connection:
        tables = connection.execute(
            "select table_schema || '.' || table_name from information_schema.tables order by all"
        ).fetchall()
        for (table,) in tables:
            digest, count = hashlib.sha256(), 0
            rows = connection.execute(f"select * from {table} order by all")
            while block := rows.fetchmany(10_000):
                count += len(block)
                digest.update("".join(f"{row}\n" for row in block).encode())
            yield table, count, digest.hexdigest()


def main(arguments: Sequence[str]) -> int:
    """Run, build in full, compare and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path, help="a new state folder")
    parser.add_argument("--days", type=int, default=30)
    options = parser.parse_args(arguments)
    if options.folder.exists() and any(options.folder.iterdir()):
        print(f"{options.folder} is not empty: name a new folder.", file=sys.stderr)
        return 2
    settings = Settings(home=options.folder)
    settings.home.mkdir(parents=True, exist_ok=True)
    if Settings().jars_dir.exists():
        settings.jars_dir.symlink_to(Settings().jars_dir)
    with (
        TreeMeter() as meter,
        open_context(settings, log=StageLog(meter), run_id="bench") as context,
    ):
        thirty_days(context, options.days)
        note = run(context, "full", publish, full_refresh="yes")
    print(f"full:   {note}\n", flush=True)
    incremental = settings.gold_dir / f"gold-day-{options.days:02}.duckdb"
    equal = True
    pairs = zip(
        checksums(incremental), checksums(settings.gold_dir / "gold-full.duckdb"), strict=True
    )
    for ours, theirs in pairs:
        same = ours == theirs
        equal = equal and same
        print(
            f"{ours[0]:34} {ours[1]:8,} rows  {ours[2][:16]}  {theirs[2][:16]}  "
            f"{'equal' if same else 'DIFFERENT'}"
        )
    print("Every table is equal." if equal else "Tables differ.")
    return 0 if equal else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

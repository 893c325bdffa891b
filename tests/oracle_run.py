"""The oracle's command: the real history and many simulated shops, a verdict for each figure.

In: the embedded history, and seeds of the simulator. Out: a table that says how many values each
KPI and each other figure of gold has, and how many of them differ from the oracle; exit code 1 when
one does. It needs Java and some minutes, no Kafka and no state. Run standalone:
`.venv/bin/python -m tests.oracle_run`, or `--seeds 3 --without-history` for less.
"""

import argparse
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from lakehouse.jars.fetch import ensure_jars
from lakehouse.settings import Settings
from lakehouse.spark import open_session
from lakehouse.tables import create_tables
from pipelines.gold.dbt_worker import GoldWorker
from tests import oracle
from tests.lake_state import LakeState
from tests.oracle_alerts import compare_alerts
from tests.oracle_experiments import compare_experiments
from tests.oracle_gold import (
    Verdict,
    compare,
    gold_of,
    mixed_orders,
    of_shop,
    real_messages,
    real_rows,
    simulated,
)
from tests.oracle_mails import compare_mails
from tests.oracle_pages import compare_pages

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from storefront.messages import Message

DAYS = 7
SHOWN = 5


class Bench:
    """States made from empty tables, one for each source of messages, in one Spark session."""

    def __init__(self, spark: "SparkSession", folder: Path, empty: Settings, worker: GoldWorker):
        self._spark, self._folder, self._empty, self._worker = spark, folder, empty, worker

    def verdicts(
        self,
        name: str,
        messages: "Sequence[Message]",
        lines: Sequence[oracle.Line],
        shop: oracle.Visits,
        *,
        every: int,
    ) -> list[Verdict]:
        """Messages through bronze, silver, gold and mails, beside the oracle.

        Mails and alerts are of each `every`th trading day, and mails of the day after it, too.
        """
        settings = without_kafka(self._folder / name, jars_dir=self._empty.jars_dir)
        shutil.copytree(self._empty.tables_uri, settings.tables_uri)
        gold = gold_of(LakeState(self._spark, settings), self._worker, messages)
        found = [
            *compare(gold, lines, shop),
            *compare_pages(gold, lines, shop),
            *compare_mails(gold, lines, shop, every=every),
            *compare_alerts(gold, lines, every=every),
            *compare_experiments(gold, messages, lines),
        ]
        shutil.rmtree(settings.home)
        return found


def without_kafka(home: Path, *, jars_dir: Path) -> Settings:
    """Settings of a new state folder that borrows the jars and knows no broker."""
    home.mkdir()
    (home / "jars").symlink_to(jars_dir.resolve())
    return Settings(home=home, storage=None, kafka_bootstrap="127.0.0.1:1")


@contextmanager
def opened() -> Iterator[Bench]:
    """A Spark session and a warm dbt in a folder that is removed afterwards."""
    own = Settings()
    ensure_jars(own)
    with tempfile.TemporaryDirectory(prefix="oracle-") as place:
        folder = Path(place)
        empty = without_kafka(folder / "empty", jars_dir=own.jars_dir)
        with GoldWorker(empty) as worker:
            spark = open_session(empty, app_name="cartlake-oracle")
            try:
                create_tables(empty)
                yield Bench(spark, folder, empty, worker)
            finally:
                spark.stop()


def show_history(bench: Bench) -> int:
    """The real history, figure by figure. Returns: values that differ."""
    started = time.monotonic()
    rows = real_rows()
    lines = oracle.erp_lines(rows)
    found = bench.verdicts("history", real_messages(), lines, oracle.visits(()), every=10)
    print(f"\nReal history: {len(rows):,} rows, {len(lines):,} lines of the oracle")
    for each in found:
        print(f"  {each.figure:38} {each.values:8,} values  {_told(each)}")
    gross = sum(line.amount for line in lines if line.kind == "sale")
    print(f"  gross amount {gross:,}; {time.monotonic() - started:.0f} s", flush=True)
    return sum(len(each.differences) for each in found)


def show_seed(bench: Bench, seed: int, totals: Counter[str]) -> int:
    """A seed's shop in one line; `totals` gain its values. Returns: values that differ."""
    sent = simulated(seed, days=DAYS)
    lines, shop = of_shop(sent)
    mixed, mixed_lines = mixed_orders(seed)
    sent, lines = [*sent, *mixed], [*lines, *mixed_lines]
    found = bench.verdicts(f"seed-{seed}", sent, lines, shop, every=3)
    refunds = {line.order for line in lines if line.kind == "cancellation"}
    days = sorted(shop.days)
    wrong = [each for each in found if each.differences]
    values = sum(each.values for each in found)
    totals.update({each.figure: each.values for each in found})
    told = "equal" if not wrong else "; ".join(f"{each.figure}: {_told(each)}" for each in wrong)
    print(
        f"  seed {seed:3}  {days[0]} to {days[-1]}  {len(lines):5,} lines  "
        f"{len(refunds):3} refunds  {len(found)} figures  {values:6,} values  {told}",
        flush=True,
    )
    return sum(len(each.differences) for each in wrong)


def _told(verdict: Verdict) -> str:
    if not verdict.differences:
        return "equal"
    shown = list(verdict.differences.items())[:SHOWN]
    told = "; ".join(f"{key}: gold {gold}, oracle {expected}" for key, (gold, expected) in shown)
    return f"{len(verdict.differences):,} DIFFER: {told}"


def main(arguments: Sequence[str]) -> int:
    """Compare and print; returns 1 when a value differs."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.oracle_run", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("--seeds", type=int, default=20, help="shops to simulate")
    parser.add_argument("--first", type=int, default=0, help="seed of the first of them")
    parser.add_argument("--without-history", action="store_true", help="leave real data out")
    options = parser.parse_args(arguments)
    totals: Counter[str] = Counter()
    with opened() as bench:
        differing = 0 if options.without_history else show_history(bench)
        print(f"\nSimulated shops of {DAYS} days, the second with a change of the clocks")
        for seed in range(options.first, options.first + options.seeds):
            differing += show_seed(bench, seed, totals)
    for figure, values in totals.items():
        print(f"  {figure:38} {values:8,} values in {options.seeds} shops")
    print(f"\n{differing} values differ from the oracle.")
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

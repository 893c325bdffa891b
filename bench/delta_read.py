"""What Delta costs dbt: silver read as Delta tables against `read_parquet` on the very same files.

In: a state folder with silver in it, or an empty one (then the demo fills it first). Out: a table
of CPU seconds and their ratio, for dbt's models and for two plain queries, with machine and date.
Both sides must give the same rows, by checksum. A state that is there needs no broker.
Run standalone: `.venv/bin/python bench/delta_read.py FOLDER`.

Each pair runs both sides one after the other, every other pair the other way round. dbt runs in
this process as the gold worker runs it, the project parsed before, into a new file each time.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from audit_cost import machine

from lakehouse.contracts.tables import GOLD_SOURCES, ORDER_LINES, Table
from lakehouse.duck import attached_delta, delta_relation, open_gold, open_lake
from lakehouse.settings import PROJECT_ROOT, Settings
from lakehouse.tables import current_versions
from pipelines.gold import dbt_child
from pipelines.gold.build import silver_variables

GOAL = 1.2
LAKE = str(PROJECT_ROOT / ".venv" / "bin" / "lake")
DBT_PROJECT = str(PROJECT_ROOT / "dbt_project")
SIDES = ("delta", "parquet")
SCANS = 5
"""Runs of a plain query in one sample, Delta attached once for all; one is too short to measure."""
QUERIES = {
    "full scan of order lines": "select count(*), sum(hash({columns})) from {relation}",
    "one day of order lines": """select order_id, sum(quantity), sum(line_amount) from {relation}
        where order_month = '2011-11' and order_date = date '2011-11-17'
        group by order_id order by order_id""",
}

Work = Callable[[str], tuple[float, Any]]
"""Does the same on the side it is given; CPU seconds and an answer that must be equal."""


@dataclass(frozen=True)
class Row:
    """CPU seconds of each pair."""

    name: str
    delta: tuple[float, ...]
    parquet: tuple[float, ...]

    @property
    def ratios(self) -> list[float]:
        """Delta by Parquet, pair by pair."""
        return [mine / other for mine, other in zip(self.delta, self.parquet, strict=True)]

    def __str__(self) -> str:
        delta, parquet, ratio = map(statistics.median, (self.delta, self.parquet, self.ratios))
        spread = f"{min(self.ratios):.2f} to {max(self.ratios):.2f}, {len(self.ratios)} pairs"
        return f"{self.name:34} {delta:8.3f} {parquet:8.3f}  {ratio:5.2f} ({spread})"


class Silver:
    """The silver tables of a state, pinned: the same files as a relation of either side."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.versions = current_versions(settings)
        self.rows = 0
        self.files = 0
        self._files = {table.name: self._live(table) for table in GOLD_SOURCES}

    def _live(self, table: Table) -> list[str]:
        relation = delta_relation(self.settings, table.name, version=self.versions[table.name])
        with open_lake(self.settings) as lake:
            found = lake.execute(
                f"select filename, count(*) from {relation} group by all"
            ).fetchall()
        self.files += len(found)
        self.rows += sum(rows for _, rows in found)
        return sorted(name for name, _ in found)

    def parquet(self, table: Table) -> str:
        """SQL that reads a table's files; an empty one has none, and is read by Delta."""
        if not self._files[table.name]:
            return delta_relation(self.settings, table.name, version=self.versions[table.name])
        names = ", ".join("'" + name.replace("'", "''") + "'" for name in self._files[table.name])
        return f"read_parquet([{names}], hive_partitioning=true, hive_types_autocast=false)"

    def query(self, sql: str) -> Work:
        """A plain query on order lines, some times over, as long as one run of it."""
        columns = ", ".join(ORDER_LINES.column_names())

        def work(side: str) -> tuple[float, Any]:
            version = self.versions[ORDER_LINES.name]
            attach, attached = attached_delta(self.settings, ORDER_LINES.name, version=version)
            relation = attached if side == "delta" else self.parquet(ORDER_LINES)
            with open_lake(self.settings) as lake:
                lake.execute("set threads = 2")
                started = time.process_time()
                if side == "delta":
                    lake.execute(attach)
                text = sql.format(columns=columns, relation=relation)
                answers = [lake.execute(text).fetchall() for _ in range(SCANS)]
                return (time.process_time() - started) / SCANS, answers[0]

        return work


class Dbt:
    """The parsed project, run on either side into a file of its own."""

    def __init__(self, silver: Silver, folder: Path) -> None:
        self._silver, self._folder = silver, folder
        self._arguments = [
            *("--project-dir", DBT_PROJECT, "--profiles-dir", DBT_PROJECT),
            *("--target-path", str(folder / "target"), "--log-path", str(folder / "logs")),
        ]
        self._manifest, failure = dbt_child.parse(self._arguments)
        if failure is not None:
            raise SystemExit(f"The dbt project does not parse: {failure}")

    def models(self, selection: str) -> Work:
        """Models without their tests, which read gold; the checksum is over all gold tables."""
        from dbt.cli.main import dbtRunner

        def work(side: str) -> tuple[float, Any]:
            home = self._folder / side
            shutil.rmtree(home, ignore_errors=True)
            home.mkdir()
            variables = silver_variables(self._silver.settings, self._silver.versions)
            variables |= {"gold_file": str(home / "built.duckdb"), "scratch_dir": str(home)}
            if side == "parquet":
                variables |= {
                    table.flat_name: self._silver.parquet(table) for table in GOLD_SOURCES
                }
                variables["attach_silver"] = []
            arguments = ["--quiet", "--no-write-json", "run", *self._arguments]
            arguments += ["--select", selection, "--vars", json.dumps(variables)]
            started = time.process_time()
            outcome = dbtRunner(manifest=self._manifest).invoke(arguments)
            dbt_child.close(is_wanted=outcome.success)
            spent = time.process_time() - started
            if not outcome.success:
                raise SystemExit(f"dbt failed on {side}; its log is above: {outcome.exception}")
            return spent, checksums(home / "built.duckdb")

        return work


def checksums(gold_file: Path) -> dict[str, tuple[int, int]]:
    """Rows of each table of a gold file, and the sum of their hashes."""
    with open_gold(gold_file) as gold:
        names = [
            f"{schema}.{name}"
            for schema, name in gold.execute(
                "select schema_name, table_name from duckdb_tables()"
            ).fetchall()
        ]
        return {
            name: gold.execute(f"select count(*), sum(hash(t)) from {name} as t").fetchall()[0]
            for name in sorted(names)
        }


def measure(name: str, work: Work, *, pairs: int) -> Row:
    """Alternated pairs after one run of each side that does not count.

    Raises:
        SystemExit: The two sides gave different answers.
    """
    spent: dict[str, list[float]] = {side: [] for side in SIDES}
    for pair in range(-1, pairs):
        answers = {}
        for side in SIDES if pair % 2 else SIDES[::-1]:
            seconds, answers[side] = work(side)
            if pair >= 0:
                spent[side].append(seconds)
        if answers["delta"] != answers["parquet"]:
            raise SystemExit(f"{name}: the two sides give different rows: {answers}")
    row = Row(name, tuple(spent["delta"]), tuple(spent["parquet"]))
    print(row, flush=True)
    return row


def main(arguments: Sequence[str]) -> int:
    """Measure and print; returns 1 when dbt's ratio is above the goal."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path, help="state folder, or an empty one for the demo")
    parser.add_argument("--pairs", type=int, default=5, help="at least 5 for a figure to quote")
    options = parser.parse_args(arguments)
    settings = Settings(home=options.folder.resolve())
    if not Path(settings.tables_uri).exists():
        settings.home.mkdir(parents=True, exist_ok=True)
        jars = Settings().jars_dir
        if jars.exists() and not settings.jars_dir.exists():
            settings.jars_dir.symlink_to(jars.resolve())
        environment = {**settings.environment(), "LAKE_HOME": str(settings.home)}
        subprocess.run([LAKE, "demo", "--once"], env=environment, check=True)
    silver = Silver(settings)
    print(f"{datetime.now(UTC):%Y-%m-%d}, {machine()}")
    print(f"{silver.rows:,} rows of silver in {silver.files} files")
    print(f"{'CPU seconds, median':34} {'Delta':>8} {'Parquet':>8}  ratio, median (spread)")
    with tempfile.TemporaryDirectory(prefix="delta-read-") as folder:
        dbt = Dbt(silver, Path(folder))
        works = {
            **{name: silver.query(sql) for name, sql in QUERIES.items()},
            "dbt: order lines and their parents": dbt.models("+fct_order_lines"),
            "dbt: all models": dbt.models("*"),
        }
        rows = [measure(name, work, pairs=options.pairs) for name, work in works.items()]
    print(f"Equal rows on both sides. Load average at the end {os.getloadavg()[0]:.1f}.")
    keeps = all(statistics.median(row.ratios) <= GOAL for row in rows if "dbt" in row.name)
    print(f"Goal for dbt: at most {GOAL}; {'kept' if keeps else 'MISSED'}.")
    return 0 if keeps else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

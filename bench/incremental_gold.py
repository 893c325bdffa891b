"""What a day costs gold: the same day of 100,000 order lines on a long and on a short history.

In: an empty folder. Out: for a history of 90 days and one of 3 what building the next day took: CPU
seconds by part, bytes and files of silver read; then the ratios. Start-up and parsing are left out.
Run it on a machine that does nothing else: `.venv/bin/python bench/incremental_gold.py FOLDER`.

Each side is a process of its own that builds the history in full once, then the same new day
several times, alternately with the other side. dbt runs in one thread here, so that the CPU between
a node's start and its end is the node's.
"""

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any, cast

from audit_cost import machine
from synthetic_silver import SyntheticSilver

from lakehouse.ledger import commits
from lakehouse.ledger.publishes import Published
from lakehouse.settings import PROJECT_ROOT, Settings
from pipelines.gold import dbt_child
from pipelines.gold.build import silver_variables
from pipelines.gold.incremental import LastGold, copy_to, find_last_gold, rules

WHOLE_HISTORY = (
    "fct_basket_pairs",
    "fct_cohort_retention",
    "fct_customer_orders",
    "fct_customer_rfm",
)
"""Marts that look at every day each time."""
PARTS = ("what changed", "marts of the whole history", "dbt tests", "file copy and its digest")
GOAL, AIM = 1.3, 1.1


class Meter:
    """Takes the CPU of each node of a dbt run from its events, and what DuckDB reads meanwhile."""

    def __init__(self) -> None:
        self.cpu: Counter[str] = Counter()
        self.nodes: Counter[str] = Counter()
        self._started: dict[str, float] = {}
        self._first = 0.0

    def __call__(self, event: Any) -> None:
        name, now = event.info.name, time.process_time()
        if name in ("NodeStart", "LogHookStartLine", "HooksRunning") and not self._first:
            self._first = now
            _cursor().execute("call enable_logging('FileSystem')")
        if name == "NodeStart":
            self._started[event.data.node_info.unique_id] = time.process_time()
        elif name == "NodeFinished":
            node = event.data.node_info
            taken = now - self._started[node.unique_id]
            self.cpu[part_of(node)] += taken
            self.nodes[node.node_name] += taken

    def reads(self, tables: str) -> dict[str, int]:
        """Files of silver that were opened, and bytes read of them."""
        files, size = (
            _cursor()
            .execute(
                "select count(distinct path), coalesce(sum(bytes), 0)::bigint "
                "from duckdb_logs_parsed('FileSystem') "
                "where path like ? || '%.parquet' and op in ('OPEN', 'READ')",
                [tables],
            )
            .fetchall()[0]
        )
        return {"files": files, "bytes": size}


def part_of(node: Any) -> str:
    """To which part of the cost a node belongs."""
    if node.resource_type == "test":
        return PARTS[2]
    return PARTS[1] if node.node_name in WHOLE_HISTORY else PARTS[0]


def _cursor() -> Any:
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager

    return DuckDBConnectionManager.env().handle().cursor()


class Side:
    """One history: its silver, its last gold, and builds of the day after."""

    def __init__(self, home: Path, *, days: int, lines: int) -> None:
        self.settings = Settings(home=home)
        self.settings.gold_dir.mkdir(parents=True)
        self.silver = SyntheticSilver(self.settings, days=days, lines=lines)
        self.arguments = [
            *("--project-dir", str(PROJECT_ROOT / "dbt_project")),
            *("--profiles-dir", str(PROJECT_ROOT / "dbt_project")),
            *("--target-path", str(home / "dbt"), "--log-path", str(home / "logs")),
            *("--threads", "1"),
        ]
        self.manifest, failure = dbt_child.parse(self.arguments)
        if failure is not None:
            raise SystemExit(failure)
        before = dict(self.silver.versions)
        path = self.settings.gold_dir / "gold-history.duckdb"
        full = self.build(path, None)
        size = path.stat().st_size
        gold = {"rules": rules(), "in_a_row": 0, "full_bytes": size}
        sha256 = commits.file_sha256(path) or ""
        published = Published("h", path.name, before, {}, 0, "", file_sha256=sha256, gold=gold)
        self.silver.trade(late=lines // 100)
        found = find_last_gold(self.settings, last=published, table_versions=self.silver.versions)
        assert isinstance(found, LastGold), found  # noqa: S101 - nothing else can be measured
        self.last = found
        self.history = {"full": full, "gold_bytes": size}

    def day(self) -> dict[str, Any]:
        """Build the new day on a copy of the last gold."""
        return self.build(self.settings.gold_dir / "gold-day.duckdb", self.last)

    def build(self, path: Path, last: LastGold | None) -> dict[str, Any]:
        """One build; returns CPU by part and in all, wall, and what was read of silver."""
        cpu, wall, meter = time.process_time(), time.monotonic(), Meter()
        if last is not None:
            assert copy_to(path, last)  # noqa: S101
            meter.cpu[PARTS[3]] = time.process_time() - cpu
        variables = {
            "gold_file": str(path),
            **silver_variables(self.settings, self.silver.versions),
            **(last.variables if last else {}),
        }
        outcome = dbt_child.run(
            self.arguments, manifest=self.manifest, variables=variables, callbacks=[meter]
        )
        if not outcome.success:
            raise SystemExit(f"The build failed: {outcome.exception or outcome.result.results}")
        reads = meter.reads(self.settings.tables_uri)
        dbt_child.close(is_wanted=True)
        whole = time.process_time() - cpu
        rest = whole - sum(meter.cpu.values())
        meter.cpu[PARTS[0]] += rest  # hooks, dbt's own work, the last checkpoint
        return {
            "cpu": dict(meter.cpu),
            "nodes": dict(meter.nodes),
            "seconds": time.monotonic() - wall,
            "reads": reads,
        }


def child(folder: str, days: str, lines: str) -> None:
    """Serve one side: a line of JSON once its history is built, and one for each day asked for."""
    channel = sys.stdout
    sys.stdout = sys.stderr
    side = Side(Path(folder), days=int(days), lines=int(lines))
    print(json.dumps(side.history), file=channel, flush=True)
    for _ in sys.stdin:
        print(json.dumps(side.day()), file=channel, flush=True)


def open_side(folder: Path, days: int, lines: int) -> "subprocess.Popen[str]":
    """Start a side's process."""
    return subprocess.Popen(
        [sys.executable, __file__, "--child", str(folder), str(days), str(lines)],
        cwd=PROJECT_ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def answer(side: "subprocess.Popen[str]", *, ask: bool) -> dict[str, Any]:
    """What a side says next."""
    if ask:
        cast(IO[str], side.stdin).write("day\n")
        cast(IO[str], side.stdin).flush()
    line = cast(IO[str], side.stdout).readline()
    if not line:
        raise SystemExit("A side ended; its message is above.")
    found: dict[str, Any] = json.loads(line)
    return found


def show(histories: Sequence[int], found: Sequence[Sequence[dict[str, Any]]]) -> bool:
    """Print the table; returns whether the ratio of what changed keeps the goal."""
    ratios = {}
    print(f"{'CPU seconds, median':34}", *(f"{days:>5} days" for days in histories), "  ratio")
    for part in PARTS:
        ones = [statistics.median(each["cpu"].get(part, 0.0) for each in runs) for runs in found]
        ratios[part] = ones[0] / ones[1] if ones[1] else float("nan")
        print(f"{part:34}", *(f"{each:8.2f} s" for each in ones), f"{ratios[part]:7.2f}")
    for name in ("files", "bytes"):
        ones = [statistics.median(each["reads"][name] for each in runs) for runs in found]
        print(
            f"{f'{name} of silver read':34}",
            *(f"{each:10,.0f}" for each in ones),
            f"{ones[0] / ones[1]:7.2f}",
        )
    spread = [
        max(each["cpu"][PARTS[0]] for each in runs) - min(each["cpu"][PARTS[0]] for each in runs)
        for runs in found
    ]
    print(f"Spread of what changed: {spread[0]:.2f} s and {spread[1]:.2f} s.")
    print(f"Goal for what changed: at most {GOAL}, aim {AIM}.")
    return ratios[PARTS[0]] <= GOAL


def main(arguments: Sequence[str]) -> int:
    """Measure and print; returns 1 when the goal is missed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path, help="a new folder; its content is removed at the end")
    parser.add_argument("--lines", type=int, default=100_000, help="order lines a day")
    parser.add_argument("--days", type=int, nargs=2, default=(90, 3), help="the two histories")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args(arguments)
    if options.folder.exists() and any(options.folder.iterdir()):
        print(f"{options.folder} is not empty: name a new folder.", file=sys.stderr)
        return 2
    print(f"{machine()}; {options.lines:,} lines a day", flush=True)
    sides = []
    for days in options.days:
        sides.append(open_side(options.folder / str(days), days, options.lines))
        history = answer(sides[-1], ask=False)
        cpu = sum(history["full"]["cpu"].values())
        size = history["gold_bytes"] / 1024**2
        print(f"{days} days built in full: {cpu:.1f} CPU-s, file {size:,.0f} MB", flush=True)
    found: list[list[dict[str, Any]]] = [[], []]
    for turn in range(options.rounds + 1):
        for runs, side in zip(found, sides, strict=True):
            measured = answer(side, ask=True)
            if turn:  # the first is warm-up
                runs.append(measured)
    for side in sides:
        side.terminate()
        side.wait()
    shutil.rmtree(options.folder, ignore_errors=True)
    return 0 if show(options.days, found) else 1


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        child(*sys.argv[2:])
    else:
        sys.exit(main(sys.argv[1:]))

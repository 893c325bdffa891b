"""What the proof costs: ledger and audit before a publish, as a share of the run without them.

In: an empty state folder, or one that such a measurement left (`--again` reads its reports). Out: a
table for the whole history and for one day more, in CPU and in wall seconds, with machine and date.
Run it on a machine that does nothing else: `.venv/bin/python bench/audit_cost.py FOLDER`.

The audit is a stage of every run's report. The ledger has no stage: its lines are written between
the records. So its cost is measured by writing the very lines of that run again, each flushed to
disk as it was then, and by deriving the lines of its commits again.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lakehouse.ledger import chain, commits
from lakehouse.settings import PROJECT_ROOT, Settings

LAKE = str(PROJECT_ROOT / ".venv" / "bin" / "lake")
GOAL = 0.10


@dataclass(frozen=True)
class Cost:
    """CPU and wall seconds."""

    cpu: float
    wall: float

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(self.cpu + other.cpu, self.wall + other.wall)

    def __sub__(self, other: "Cost") -> "Cost":
        return Cost(self.cpu - other.cpu, self.wall - other.wall)


def measure(folder: Path) -> dict[str, dict[str, Any]]:
    """Reports of the whole history and of one day more, and the ledger's lines after each."""
    settings = Settings(home=folder)
    folder.mkdir(parents=True, exist_ok=True)
    jars = Settings().jars_dir
    if jars.exists() and not settings.jars_dir.exists():
        settings.jars_dir.symlink_to(jars)
    found = {}
    lake(settings, "demo", "--once")
    found["whole history"] = {"report": latest(settings), "lines": line_counts(settings)}
    lake(settings, "broker", "start")
    try:
        lake(settings, "produce", "shop", "--days", "1", "--seed", "4711")
        lake(settings, "run", "daily")
    finally:
        lake(settings, "broker", "stop")
    found["one day more"] = {"report": latest(settings), "lines": line_counts(settings)}
    (folder / "audit-cost.json").write_text(json.dumps(found, indent=1), encoding="utf-8")
    return found


def lake(settings: Settings, *words: str) -> None:
    """Run one command of the platform on a state folder; it must succeed."""
    print("lake", *words, flush=True)
    environment = {**settings.environment(), "LAKE_HOME": str(settings.home)}
    subprocess.run([LAKE, *words], env=environment, check=True, stdout=subprocess.DEVNULL)


def latest(settings: Settings) -> dict[str, Any]:
    """The report of the last run."""
    text = (settings.reports_dir / "latest.json").read_text(encoding="utf-8")
    report: dict[str, Any] = json.loads(text)
    return report


def line_counts(settings: Settings) -> dict[str, int]:
    """Lines of each chain of the ledger."""
    return {name: head.lines for name, head in chain.heads(settings).items()}


def ledger_cost(settings: Settings, *, before: Mapping[str, int], after: Mapping[str, int]) -> Cost:
    """Cost of writing a run's lines once more, one flush each, and of deriving those of commits."""
    with tempfile.TemporaryDirectory(dir=settings.home) as scratch:
        copy = Settings(home=Path(scratch))
        bodies: list[tuple[str, dict[str, Any]]] = []
        for name in chain.CHAINS:
            lines = list(chain.lines(name, settings=settings))[: after.get(name, 0)]
            old, new = lines[: before.get(name, 0)], lines[before.get(name, 0) :]
            chain.write(name, *map(_body, old), settings=copy)
            bodies += [(name, _body(line)) for line in new if name != commits.CHAIN]

        def write() -> None:
            for name, body in bodies:
                chain.write(name, body, settings=copy)

        (copy.home / "tables").symlink_to(settings.home / "tables")
        return timed(write) + timed(lambda: commits.derive(copy))


def _body(line: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in line.items() if key not in ("previous", "sha256")}


def timed(act: Callable[[], object]) -> Cost:
    cpu, wall = time.process_time(), time.monotonic()
    act()
    return Cost(time.process_time() - cpu, time.monotonic() - wall)


def stage_cost(report: Mapping[str, Any], *names: str) -> Cost:
    """Cost of a run's stages of these names."""
    stages = [each for each in report["stages"] if each["name"] in names]
    return Cost(
        sum(each["cpu_seconds"] for each in stages), sum(each["seconds"] for each in stages)
    )


def show(settings: Settings, found: Mapping[str, Mapping[str, Any]]) -> bool:
    """Print the table; returns whether every share of CPU keeps the goal."""
    print(f"\n{datetime.now(UTC):%Y-%m-%d}, {machine()}")
    print(f"{'':15} {'run':>9} {'audit':>8} {'ledger':>8} {'without':>9}  ratio")
    before: Mapping[str, int] = {}
    keeps = True
    for name, facts in found.items():
        report = facts["report"]
        whole = Cost(report["cpu_seconds"], report["wall_seconds"])
        audit = stage_cost(report, "audit")
        lines = ledger_cost(settings, before=before, after=facts["lines"])
        without = whole - audit - lines
        for label in ("cpu", "wall"):
            ratio = getattr(audit + lines, label) / getattr(without, label)
            keeps = keeps and (label != "cpu" or ratio <= GOAL)
            print(
                f"{name if label == 'cpu' else '':15} {getattr(whole, label):7.1f} s "
                f"{getattr(audit, label):6.2f} s {getattr(lines, label):6.2f} s "
                f"{getattr(without, label):7.1f} s  {ratio:6.1%} {label}"
            )
        before = facts["lines"]
    print(f"Goal: at most {GOAL:.0%} of the run without ledger and audit, in CPU seconds.")
    return keeps


def machine() -> str:
    """Processor, number of them, load and Python, in one line."""
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        names = [line for line in cpuinfo.read_text().splitlines() if line.startswith("model name")]
        model = names[0].partition(":")[2].strip() if names else model
    load = f"{os.getloadavg()[0]:.1f}"
    return f"{os.cpu_count()} x {model}, Python {platform.python_version()}, load {load}"


def main(arguments: Sequence[str]) -> int:
    """Measure, or read what was measured, and print; returns 1 when the goal is missed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path, help="state folder of the measurement")
    parser.add_argument("--again", action="store_true", help="only read the reports it left")
    options = parser.parse_args(arguments)
    settings = Settings(home=options.folder)
    if options.again:
        text = (settings.home / "audit-cost.json").read_text(encoding="utf-8")
        found: dict[str, dict[str, Any]] = json.loads(text)
    else:
        if settings.home.exists() and any(settings.home.iterdir()):
            print(f"{settings.home} is not empty: name a new folder.", file=sys.stderr)
            return 2
        found = measure(settings.home)
    return 0 if show(settings, found) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

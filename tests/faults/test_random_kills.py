"""SIGKILLs at random moments of one long run of ingest and refine, from a seed that is printed."""

import random
import shutil
import statistics
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lakehouse.settings import Settings
from pipelines.publishing.publish import Workers
from streaming.producer import Source, produce
from tests.faults.commands import Command, Fault, catch_up
from tests.faults.launcher import TOGETHER
from tests.faults.proof import Shop, prove, rows_of
from tests.faults.results import Recorder
from tests.faults.source import seeded_shop
from tests.lake_state import LakeState, NewSettings, bring_into_service

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = [pytest.mark.spark, pytest.mark.kafka, pytest.mark.slow]

RECORDS_PER_KILL = 400
SECONDS = ((0.7, 8.0), (0.3, 30.0))
"""Shares of the kills, and how long after the first trigger they come at most."""
STREAMS = ("ingest", "--follow", TOGETHER, "refine", "--follow")
BEFORE = {"ingest": "ingest.before_write", "refine": "refine.before_batch"}
AFTER = {"ingest": "ingest.after_write", "refine": "refine.after_batch"}
NOTES = [
    *(Fault(f"{query}.started", "note") for query in BEFORE),
    *(Fault(point, "note", None) for point in (*BEFORE.values(), *AFTER.values())),
]


@dataclass
class Figures:
    """Seconds of each kill: work in flight that it undid, and how long its repetition took.

    `outage` runs from the kill to the first trigger after the restart.
    """

    undone: list[float] = field(default_factory=list)
    recovery: list[float] = field(default_factory=list)
    outage: list[float] = field(default_factory=list)

    def note(self) -> str:
        worth = [each for each in zip(self.undone, self.recovery, strict=True) if each[0] > 0]
        undone, again = (sum(each) for each in zip(*worth, strict=True)) if worth else (0.0, 0.0)
        return (
            f"recovery median {statistics.median(self.recovery):.1f} s, "
            f"max {max(self.recovery):.1f} s; {len(worth)} kills undid {undone:.0f} s of work "
            f"in flight, done again in {again:.0f} s; from kill to first trigger, starts of Python "
            f"and Java included, median {statistics.median(self.outage):.1f} s"
        )


@dataclass
class Watch:
    """Follows both queries over kills and restarts, by their notes."""

    figures: Figures = field(default_factory=Figures)
    _pending: dict[str, tuple[float, float]] = field(default_factory=dict)
    _killed_at: float | None = None

    def ended(self, command: Command, *, at: float) -> None:
        """Take in the notes of a process that was killed at a time."""
        for query, before in BEFORE.items():
            started, began, done = (
                command.notes(point) for point in (f"{query}.started", before, AFTER[query])
            )
            if started and self._killed_at is not None and query == "refine":
                self.figures.outage.append(started[0] - self._killed_at)
            active = at - started[0] if started else 0.0
            if query in self._pending:
                undone, spent = self._pending.pop(query)
                if done:
                    self.figures.undone.append(undone)
                    self.figures.recovery.append(spent + done[0] - started[0])
                else:
                    self._pending[query] = (undone, spent + active)
            if query not in self._pending and len(began) > len(done):
                self._pending[query] = (at - began[-1], 0.0)
        self._killed_at = at


@pytest.fixture
def two_lakes(
    new_broker: Callable[[], Settings], new_settings: NewSettings, empty_tables: Path
) -> list[Settings]:
    """Two empty lakes before one new Kafka, the first of them set to small batches."""
    bootstrap = new_broker().bootstrap
    sizes = {"ingest_max_records": 300, "refine_max_bytes": "64k"}
    lakes = [new_settings(kafka_bootstrap=bootstrap, **each) for each in (sizes, {})]
    for lake in lakes:
        shutil.copytree(empty_tables, lake.tables_uri)
    return lakes


def test_random_sigkills_of_the_streams_leave_what_a_clean_run_leaves(
    request: pytest.FixtureRequest,
    two_lakes: list[Settings],
    spark: "SparkSession",
    workers: Workers,
    record_fault: Recorder,
) -> None:
    """T03: SIGKILL of the streams' process group at random moments of one long run."""
    hurt, clean = two_lakes
    kills = request.config.getoption("--fault-kills")
    seed = request.config.getoption("--fault-seed") or random.SystemRandom().randrange(10**6)
    print(f"seed {seed}: repeat with --fault-seed {seed}")
    dice = random.Random(seed)  # noqa: S311 - moments that can be repeated
    messages, truth = seeded_shop(kills * RECORDS_PER_KILL, seed=seed, only_orders=True)

    watch = Watch()
    for number in range(kills):
        first = number * RECORDS_PER_KILL
        with Command(*STREAMS, settings=hurt, faults=NOTES) as streams:
            if dice.random() < 0.8:  # the others die while they start
                streams.await_point("refine.started")
            produce(
                messages[first : first + RECORDS_PER_KILL],
                source=Source(f"part-{number}", f"part {number}"),
                settings=hurt,
            )
            (longest,) = dice.choices([each for _, each in SECONDS], [each for each, _ in SECONDS])
            live_for(streams, dice.uniform(0, longest))
            at = streams.kill()
            watch.ended(streams, at=at)
    catch_up("ingest", "refine", settings=hurt)

    state = LakeState(spark, clean)
    state.ingest()
    state.refine()
    bring_into_service(clean, workers)
    shop = Shop(hurt, truth, rows_of(clean))
    damage = prove(hurt, shop, workers=workers)
    figures = watch.figures
    note = f"{kills} of {kills} kills survived, seed {seed}; {figures.note()}"
    print(note)
    record_fault(damage, recovery_seconds=statistics.median(figures.recovery), note=note)


def live_for(command: Command, seconds: float) -> None:
    """Let a command work for a time, which it must not end by itself."""
    try:
        code = command.process.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        return
    raise AssertionError(f"ended by itself with {code}:\n{command.output()}")


def test_the_watch_measures_what_a_kill_undid_and_when_it_was_done_again() -> None:
    class Notes(Command):
        def __init__(self, **notes: list[float]) -> None:
            self._notes = notes

        def notes(self, point: str) -> list[float]:
            return self._notes.get(point.replace(".", "_"), [])

    watch = Watch()
    watch.ended(
        Notes(refine_started=[1.0], refine_before_batch=[2.0, 4.0], refine_after_batch=[3.0]),
        at=5.5,
    )
    watch.ended(Notes(refine_started=[9.0], refine_before_batch=[9.5]), at=10.0)
    watch.ended(
        Notes(refine_started=[15.0], refine_before_batch=[15.5], refine_after_batch=[17.0]),
        at=18.0,
    )
    assert watch.figures == Figures(undone=[1.5], recovery=[3.0], outage=[3.5, 5.0])

"""A broker that is killed, gone for long, or behind a bad network, in mid-send and in mid-read."""

import contextlib
import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest

import streaming.ingest
from lakehouse.contracts.gold import FCT_ORDER_LINES, GOLD_TABLES
from lakehouse.contracts.tables import DUPLICATES, QUARANTINE
from lakehouse.errors import LakeError
from lakehouse.ledger import produced
from lakehouse.settings import Settings
from operations.audit import audit_service
from operations.status import describe
from pipelines.publishing.publish import Workers
from storefront.messages import Message
from streaming import broker, producer
from streaming.broker import config
from streaming.producer import Source, produce
from tests.brokers import free_ports
from tests.faults.proof import VOLATILE, Damage, Rows, Shop, damage_of, differences, rows_of
from tests.faults.results import Recorder
from tests.faults.source import Truth, seeded_shop
from tests.faults.tcp_proxy import TcpProxy
from tests.lake_state import LakeState, NewSettings, bring_into_service, failing

pytestmark = [pytest.mark.spark, pytest.mark.kafka, pytest.mark.slow]

RECORDS, CHUNK, BATCH = 6_000, 250, 1_000
SOURCE = Source("outage", "outage")
NewLake = Callable[..., LakeState]
Planted = Mapping[int, Callable[[], None]]


@pytest.fixture(scope="module")
def messages() -> tuple[list[Message], Truth]:
    """What all these tests send."""
    return seeded_shop(RECORDS, seed=9)


@pytest.fixture(scope="module")
def calm_shop(
    new_broker: Callable[[], Settings],
    open_shop: Callable[[Settings, list[Message], Truth], Shop],
    messages: tuple[list[Message], Truth],
) -> Shop:
    """The same messages through a Kafka that nothing happens to."""
    return open_shop(new_broker(), *messages)


@dataclass(frozen=True)
class Scene:
    """What is sent, what a calm run makes of it, and where it is sent from."""

    messages: list[Message]
    calm: Shop
    workers: Workers
    make_lake: NewLake

    def new_lake(self, bootstrap: str) -> LakeState:
        """An empty lake that reads in small batches."""
        lake = self.make_lake(bootstrap)
        settings = lake.settings.model_copy(update={"ingest_max_records": BATCH})
        return LakeState(lake.spark, settings)


@pytest.fixture
def scene(
    new_lake: NewLake,
    calm_shop: Shop,
    messages: tuple[list[Message], Truth],
    workers: Workers,
    monkeypatch: pytest.MonkeyPatch,
) -> Scene:
    """Sent in many small chunks."""
    monkeypatch.setattr(producer, "CHUNK_RECORDS", CHUNK)
    return Scene(messages[0], calm_shop, workers, new_lake)


def with_faults(messages: Sequence[Message], planted: Planted) -> Iterator[Message]:
    """The messages; before the one of a given number its fault is fired."""
    for number, message in enumerate(messages):
        if number in planted:
            planted[number]()
        yield message


def fire_at_batches(monkeypatch: pytest.MonkeyPatch, planted: Planted) -> None:
    """Before ingest reads its nth batch from Kafka, counted from 0, the fault is fired."""
    real, numbers = streaming.ingest.bronze_rows, iter(range(1_000_000))

    def fire_and_read(*batch: Any) -> Any:
        planted.get(next(numbers), lambda: None)()
        return real(*batch)

    monkeypatch.setattr(streaming.ingest, "bronze_rows", fire_and_read)


class Assassin:
    """Kills a broker on request, at a point that waits for the deed; restarts it afterwards."""

    def __init__(self, kafka: Settings) -> None:
        self.kafka = kafka
        self.called, self.done = threading.Event(), threading.Event()
        self.up_at = 0.0

    def call(self) -> None:
        """The point: wait until the broker is dead."""
        self.called.set()
        assert self.done.wait(60)

    def strike(self, victim: "Future[Any]") -> None:
        """Wait for the call and kill the broker in mid-work."""
        while not self.called.wait(0.1):
            assert not victim.done(), victim.exception()
        pid = broker.status(self.kafka).pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        self.done.set()

    def restart(self) -> broker.Broker:
        found = broker.start(self.kafka, detached=False)
        self.up_at = time.monotonic()
        return found


def test_a_broker_killed_in_mid_send_and_mid_read_loses_nothing_acknowledged(
    scene: Scene,
    new_broker: Callable[[], Settings],
    monkeypatch: pytest.MonkeyPatch,
    record_fault: Recorder,
) -> None:
    """T09: SIGKILL of the broker in mid-send and in mid-read; started again on its data."""
    kafka = new_broker()
    lake = scene.new_lake(kafka.bootstrap)
    acknowledged: list[float] = []
    with contextlib.ExitStack() as stack, ThreadPoolExecutor(1) as pool:
        sender = Assassin(kafka)
        sending = pool.submit(
            produce,
            with_faults(scene.messages, {RECORDS // 2: sender.call}),
            source=SOURCE,
            settings=lake.settings,
            on_progress=lambda _: acknowledged.append(time.monotonic()),
        )
        sender.strike(sending)
        stack.enter_context(sender.restart())
        assert sending.result(timeout=300).records == RECORDS
        recovery = [min(at for at in acknowledged if at > sender.up_at) - sender.up_at]

        reader = Assassin(kafka)
        fire_at_batches(monkeypatch, {2: reader.call})
        reading = pool.submit(lake.ingest)
        reader.strike(reading)
        stack.enter_context(reader.restart())
        steps = finish(reading, lake)
        recovery.append(time.monotonic() - reader.up_at)
        lake.refine()
        damage = prove_whole(lake, scene)
    assert lake.rows(DUPLICATES, "offset", where="disposition = 'redelivered'") != []
    record_fault(
        damage,
        recovery_seconds=round(max(recovery), 2),
        human_steps=2 + steps,
        note="steps: starting the broker, each time",
    )


def finish(reading: "Future[None]", lake: LakeState) -> int:
    """Await a run of ingest; where it gave up, do what it says. Returns how often that was."""
    error = reading.exception(timeout=600)
    if error is None:
        return 0
    assert "lost the Kafka broker" in str(error)
    lake.ingest()
    return 1


def test_a_broker_that_stays_away_stops_the_sender_and_the_same_command_goes_on_later(
    scene: Scene,
    new_broker: Callable[[], Settings],
    monkeypatch: pytest.MonkeyPatch,
    record_fault: Recorder,
) -> None:
    """T11: broker gone for good in mid-send; the sender stops and says so, and resumes later."""
    monkeypatch.setattr(producer, "DELIVERY_SECONDS", 31)  # the least that Kafka takes
    kafka = new_broker()
    lake = scene.new_lake(kafka.bootstrap)
    with ThreadPoolExecutor(1) as pool:
        sender = Assassin(kafka)
        sending = pool.submit(
            produce,
            with_faults(scene.messages, {RECORDS // 2: sender.call}),
            source=SOURCE,
            settings=lake.settings,
        )
        sender.strike(sending)
        with pytest.raises(LakeError, match=r"stopped answering .* goes on after the last ackn"):
            sending.result(timeout=300)
    reached = produced.progress_of(SOURCE.key, settings=lake.settings)
    assert 0 < reached.next_index <= RECORDS // 2
    assert not reached.is_finished
    with pytest.raises(LakeError, match="No Kafka broker answers"):
        produce(scene.messages, source=SOURCE, settings=lake.settings)
    with pytest.raises(LakeError, match="No Kafka broker answers"):
        broker.require_running(lake.settings)
    assert "Broker     not running (lake broker start)" in describe(kafka)
    assert produced.progress_of(SOURCE.key, settings=lake.settings) == reached

    with sender.restart():
        resumed = produce(scene.messages, source=SOURCE, settings=lake.settings)
        recovery = time.monotonic() - sender.up_at
        assert (resumed.skipped, resumed.records) == (
            reached.next_index,
            RECORDS - reached.next_index,
        )
        lake.ingest()
        lake.refine()
        damage = prove_facts(lake, scene)
    record_fault(
        damage,
        recovery_seconds=round(recovery, 2),
        human_steps=2,
        note="steps: starting the broker, the same command again; all sent by then",
    )


def test_a_network_that_cuts_delays_and_falls_silent_costs_time_and_no_record(
    scene: Scene,
    new_settings: NewSettings,
    monkeypatch: pytest.MonkeyPatch,
    record_fault: Recorder,
) -> None:
    """T13: connections cut in mid-message, delayed by 200 ms, half-open; sender and reader."""
    port, controller = free_ports(2)
    kafka = new_settings(kafka_bootstrap=None, kafka_port=port, kafka_controller_port=controller)
    real = config._properties
    with TcpProxy(port) as proxy:
        through = {"advertised.listeners": f"PLAINTEXT://127.0.0.1:{proxy.port}"}
        monkeypatch.setattr(config, "_properties", lambda each: {**real(each), **through})
        with broker.start(kafka, detached=False):
            lake = scene.new_lake(f"127.0.0.1:{proxy.port}")
            before = proxy.accepted
            began = time.monotonic()
            planted: Planted = {
                500: proxy.cut,
                1_000: lambda: proxy.delay(0.2),
                1_500: proxy.cut,
                2_000: lambda: proxy.delay(0),
                2_500: lambda: proxy.cut_after(100_000),
                4_000: lambda: proxy.cut_after(None),
                4_500: proxy.silence,
            }
            sent = produce(
                with_faults(scene.messages, planted), source=SOURCE, settings=lake.settings
            )
            assert sent.records == RECORDS
            assert proxy.accepted - before > 3
            cuts = proxy.cuts
            assert cuts > 3
            fire_at_batches(
                monkeypatch,
                {
                    1: proxy.cut,
                    2: lambda: proxy.delay(0.2),
                    3: proxy.cut,
                    4: lambda: proxy.delay(0),
                    5: proxy.silence,
                },
            )
            lake.ingest()
            assert proxy.cuts > cuts
            spent = time.monotonic() - began
            lake.refine()
            damage = prove_facts(lake, scene)
    record_fault(damage, note=f"{proxy.cuts} connections cut; sent and read in {spent:.0f} s")


def prove_whole(lake: LakeState, scene: Scene) -> Damage:
    """As `prove`: every row but for the time at which its record arrived in this other Kafka."""
    damage = prove_facts(lake, scene)
    found, clean = but_for_arrival(rows_of(lake.settings)), but_for_arrival(scene.calm.clean)
    assert differences(found, clean) == {}
    return damage


def but_for_arrival(rows: Rows) -> Rows:
    """The rows, those of the quarantine without `first_seen_at`."""
    names = [name for name in QUARANTINE.column_names() if name not in VOLATILE]
    seen_at = names.index("first_seen_at")
    refused: Counter[tuple[Any, ...]] = Counter()
    for row, count in rows[QUARANTINE.name].items():
        refused[(*row[:seen_at], *row[seen_at + 1 :])] += count
    return {**rows, QUARANTINE.name: refused}


def prove_facts(lake: LakeState, scene: Scene) -> Damage:
    """As `prove`, where records may lie in Kafka twice: positions and duplicates may differ."""
    bring_into_service(lake.settings, scene.workers)
    assert failing(audit_service(lake.settings, full=True)) == {}
    damage = damage_of(lake.settings, scene.calm.truth)
    assert (damage.lost, damage.doubled, damage.pounds_off) == (0, 0, 0)
    marts = [name for name in GOLD_TABLES if name != FCT_ORDER_LINES]
    clean = {name: scene.calm.clean[name] for name in marts}
    assert differences(rows_of(lake.settings), clean) == {}
    return damage

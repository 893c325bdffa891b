"""The local Kafka: what it promises while it runs, and every way in which it can be cut off."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice

import psutil
import pytest
from kafka import KafkaConsumer, KafkaProducer
from kafka.admin import ConfigResource, ConfigResourceType
from kafka.errors import KafkaError

from lakehouse.contracts.topics import ERP_INVOICE_LINES, SOURCE_TOPICS, TOPICS, dead_letter_topic
from lakehouse.errors import LakeError
from lakehouse.settings import Settings
from streaming import broker, kafka_admin
from streaming.broker import config, process

NewState = Callable[[], Settings]
pytestmark = pytest.mark.kafka

START_AND_WAIT = """
import json, sys
from lakehouse.settings import Settings
from streaming import broker

print(broker.start(Settings(**json.loads(sys.argv[1])), detached=False).pid, flush=True)
sys.stdin.read()
"""


@pytest.fixture(scope="module")
def running(new_state: NewState) -> Iterator[Settings]:
    """Settings of a broker that runs for this module."""
    settings = new_state()
    with broker.start(settings, detached=False):
        yield settings


def produce(settings: Settings, values: list[bytes], *, dated_ms: int | None = None) -> None:
    producer = KafkaProducer(bootstrap_servers=settings.bootstrap, acks="all")
    try:
        sent = [
            producer.send(ERP_INVOICE_LINES.name, value, timestamp_ms=dated_ms) for value in values
        ]
        for each in sent:
            each.get(timeout=20)
    finally:
        producer.close()


def consume(settings: Settings, count: int) -> dict[bytes, int]:
    """Values and their timestamps in milliseconds, of `count` records."""
    consumer = KafkaConsumer(
        ERP_INVOICE_LINES.name,
        bootstrap_servers=settings.bootstrap,
        auto_offset_reset="earliest",
        consumer_timeout_ms=20_000,
    )
    try:
        return {record.value: record.timestamp for record in islice(consumer, count)}
    finally:
        consumer.close()


def wait_until_gone(pid: int) -> None:
    psutil.wait_procs([psutil.Process(pid)] if psutil.pid_exists(pid) else [], timeout=20)
    assert not psutil.pid_exists(pid)


def test_a_running_broker_holds_the_topics_of_the_contracts(running: Settings) -> None:
    found = broker.status(running)
    expected = dict.fromkeys(TOPICS, 1)
    expected |= {source.name: source.partitions for source in SOURCE_TOPICS}
    expected |= {dead_letter_topic(source.name): 1 for source in SOURCE_TOPICS}
    assert found.topics == expected
    assert (found.running, found.port, found.version, found.is_tied) == (
        True,
        running.kafka_port,
        "4.3.1",
        True,
    )
    assert found.uptime_seconds is not None
    assert 0 < found.uptime_seconds < 600


def test_a_second_start_joins_the_running_broker_and_says_so(running: Settings) -> None:
    with broker.start(running, detached=False) as second:
        assert second.pid == broker.status(running).pid
        assert second.note == (
            f"Kafka runs already at {running.bootstrap} (pid {second.pid}) and is used as it is. "
            "Another command started it, and it ends with that command."
        )
    assert broker.status(running).running


def test_a_broker_without_its_record_is_found_by_its_port(running: Settings) -> None:
    pid = broker.status(running).pid
    record = running.kafka_dir / "broker.json"
    kept = record.read_bytes()
    record.unlink()
    try:
        assert process.find(running) == process.Found(pid or 0, running.kafka_port)
    finally:
        record.write_bytes(kept)


def test_a_broker_of_the_same_state_on_another_port_is_named(running: Settings) -> None:
    moved = running.model_copy(update={"kafka_port": running.kafka_controller_port})
    with pytest.raises(LakeError, match=f"LAKE_KAFKA_PORT={running.kafka_port}"):
        broker.start(moved, detached=True)


def test_records_are_dated_by_arrival_and_topics_are_never_made_by_accident(
    running: Settings,
) -> None:
    before = int(time.time() * 1000)
    produce(running, [b"dated 2010"], dated_ms=1_291_190_400_000)
    assert before <= consume(running, 1)[b"dated 2010"] <= int(time.time() * 1000)
    producer = KafkaProducer(bootstrap_servers=running.bootstrap, max_block_ms=1500)
    with pytest.raises(KafkaError):
        producer.send("nobody.knows.v1", b"x").get(timeout=5)
    producer.close()
    assert "nobody.knows.v1" not in broker.status(running).topics


def test_topics_keep_every_record_dated_by_arrival_whoever_makes_them(running: Settings) -> None:
    contract, by_hand = ERP_INVOICE_LINES.name, "made.by.hand"
    with kafka_admin.connect(running.bootstrap) as client:
        client.create_topics({by_hand: {}}, wait_for_metadata=True)
        resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in (contract, by_hand)]
        described = client.describe_configs(resources, config_filter="all")["topic"]
        client.delete_topics([by_hand])
    assert {
        name: {key: described[name][key]["value"] for key in kafka_admin.TOPIC_SETTINGS}
        for name in (contract, by_hand)
    } == {contract: kafka_admin.TOPIC_SETTINGS, by_hand: kafka_admin.TOPIC_SETTINGS}
    sources = {described[contract][key]["config_source"] for key in kafka_admin.TOPIC_SETTINGS}
    assert sources == {"DYNAMIC_TOPIC_CONFIG"}  # another Kafka has other defaults


def test_another_kafka_is_used_when_the_settings_name_one(
    running: Settings, new_state: NewState
) -> None:
    settings = new_state().model_copy(update={"kafka_bootstrap": running.bootstrap})
    used = broker.start(settings, detached=False)
    assert (used.note, used.pid, used.tied) == (
        f"Using the Kafka at {running.bootstrap}; no local broker is started.",
        None,
        None,
    )
    found = broker.status(settings)
    assert (found.running, found.pid, set(found.topics)) == (True, None, set(TOPICS))
    assert not settings.kafka_dir.exists()


def test_acknowledged_records_survive_sigkill_of_a_detached_broker(new_state: NewState) -> None:
    settings = new_state()
    values = [f"line {number}".encode() for number in range(500)]
    first = broker.start(settings, detached=True)
    assert first.pid is not None
    produce(settings, values)
    os.kill(first.pid, signal.SIGKILL)
    wait_until_gone(first.pid)
    assert not broker.status(settings).running

    second = broker.start(settings, detached=True)
    assert set(consume(settings, len(values))) == set(values)
    assert broker.stop(settings) == second.pid
    assert broker.stop(settings) is None
    assert not broker.status(settings).running
    assert config.console_file(settings).read_bytes() == b""


def test_a_broker_ends_when_its_command_is_killed(new_state: NewState) -> None:
    settings = new_state()
    command = subprocess.Popen(
        [sys.executable, "-c", START_AND_WAIT, settings.model_dump_json()],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert command.stdout is not None
    pid = int(command.stdout.readline())
    assert broker.status(settings).is_tied
    command.kill()
    command.communicate()
    wait_until_gone(pid)
    assert broker.stop(settings) is None


@pytest.mark.slow
def test_two_starts_at_once_make_one_broker_and_one_without_its_command_is_replaced(
    new_state: NewState,
) -> None:
    settings = new_state()
    with ThreadPoolExecutor(2) as pool:
        both = list(pool.map(lambda _: broker.start(settings, detached=True).pid, range(2)))
    assert both[0] == both[1]

    # As if the command that it was tied to had been killed a moment ago.
    path = settings.kafka_dir / "broker.json"
    record = json.loads(path.read_bytes())
    record["facts"] |= {"tied": True, "owner_started_at": 0.0}
    path.write_text(json.dumps(record))
    with broker.start(settings, detached=False) as after:
        assert after.pid not in both
        assert after.tied is not None
        assert not psutil.pid_exists(both[0] or 0)


def test_a_taken_port_is_named_with_its_holder_and_the_setting(new_state: NewState) -> None:
    settings = new_state()
    with (
        socket.create_server(("127.0.0.1", settings.kafka_port)),
        pytest.raises(LakeError) as raised,
    ):
        broker.start(settings, detached=False)
    assert str(raised.value) == (
        f"Port {settings.kafka_port}, which Kafka needs, is taken by "
        f"{psutil.Process().name()} (pid {os.getpid()}). "
        "Stop that program, or set LAKE_KAFKA_PORT to a free port."
    )


def test_a_broker_that_ends_while_starting_tells_why_and_where_its_log_is(
    new_state: NewState,
) -> None:
    settings = new_state()
    data = settings.kafka_dir / config.DATA_FOLDER
    data.mkdir(parents=True)
    (data / "meta.properties").write_text("version=1\nnode.id=7\ncluster.id=abc\n")
    with pytest.raises(LakeError) as raised:
        broker.start(settings, detached=False)
    assert "Stored node id 7 doesn't match" in str(raised.value)
    assert str(config.log_file(settings)) in str(raised.value)
    assert process.find(settings) is None


def test_a_heap_that_java_refuses_is_told_in_javas_words(new_state: NewState) -> None:
    settings = new_state().model_copy(update={"kafka_heap": "much"})
    with pytest.raises(LakeError, match="Invalid maximum heap size: -Xmxmuch"):
        broker.start(settings, detached=False)
    assert process.cluster_id(settings) is None


def test_a_folder_that_cannot_be_written_is_named(new_state: NewState) -> None:
    settings = new_state()
    settings.kafka_dir.write_text("a file where the folder should be")
    with pytest.raises(LakeError, match=r"can't keep its state: .*/kafka.*: .* set LAKE_HOME"):
        broker.start(settings, detached=False)

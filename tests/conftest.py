"""What is expensive starts once for all tests: jars, a Spark session, a Kafka, warm workers."""

import contextlib
import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lakehouse.pointer import CURRENT
from lakehouse.settings import PROJECT_ROOT, Settings
from lakehouse.state import claim
from tests.brokers import own_kafka
from tests.faults.results import (  # noqa: F401 - hooks and a fixture for all tests
    pytest_addoption,
    pytest_collection_modifyitems,
    pytest_runtest_makereport,
    record_fault,
)
from tests.lake_state import (
    LakeState,
    NewSettings,
    Published,
    bring_into_service,
    erp,
    messages_of,
    web_order,
)
from tests.once import once

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from pipelines.gold.dbt_worker import GoldWorker
    from pipelines.publishing.publish import Workers


SHOP_OF_TESTS = {"CURRENCY": "GBP", "TIME_ZONE": "Europe/London", "LOCALE": "en_GB"}
"""The shop that tests work for, whatever the settings' defaults are: that of their figures."""


def pytest_configure() -> None:
    """Set the tests' shop, and give a worker of pytest-xdist a main file.

    It is a `python -c`, which `pyspark.sql.connect` takes for doctests and ends with exit code 0 as
    soon as Great Expectations imports it.
    """
    os.environ.update({f"LAKE_SHOP_{name}": text for name, text in SHOP_OF_TESTS.items()})
    main = sys.modules["__main__"]
    if not hasattr(main, "__file__"):
        main.__file__ = pytest.__file__


@pytest.fixture(scope="session")
def jars_dir() -> Path:
    """The project's checked jars, fetched at most once for all state folders of the tests."""
    from lakehouse.jars.fetch import ensure_jars

    settings = Settings(home=PROJECT_ROOT / ".lake")
    ensure_jars(settings)
    return settings.jars_dir


@pytest.fixture(scope="session")
def new_settings(jars_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> NewSettings:
    """Makes settings of an empty state folder that shares the jars; no Kafka but a given one."""

    def make(**options: object) -> Settings:
        home = tmp_path_factory.mktemp("state") / "state"
        claim(Settings(home=home))
        (home / "jars").symlink_to(jars_dir)
        fixed = {"home": home, "storage": None, "kafka_bootstrap": "127.0.0.1:1"}
        return Settings.model_validate({**fixed, **options})

    return make


@pytest.fixture(scope="session")
def spark(new_settings: NewSettings) -> "Iterator[SparkSession]":
    """The one Spark session of all tests."""
    from lakehouse.spark import open_session

    session = open_session(new_settings(), app_name="cartlake-tests")
    yield session
    session.stop()


@pytest.fixture(scope="session")
def kafka(new_settings: NewSettings) -> Iterator[str]:
    """Address of the one Kafka of all tests that share one; its topics hold others' records too."""
    with own_kafka(new_settings()) as settings:
        yield settings.bootstrap


@pytest.fixture(scope="session")
def gold_worker(tmp_path_factory: pytest.TempPathFactory) -> "Iterator[GoldWorker]":
    """The one child process that builds gold."""
    from pipelines.gold.dbt_worker import GoldWorker

    with GoldWorker(Settings(home=tmp_path_factory.mktemp("worker"))) as worker:
        worker.await_ready()
        yield worker


@pytest.fixture(scope="session")
def workers(new_settings: NewSettings, gold_worker: "GoldWorker") -> "Iterator[Workers]":
    """The warm children of every publish."""
    from pipelines.publishing.publish import Workers
    from quality.gate.worker import GateWorker

    with GateWorker(new_settings()) as gate:
        yield Workers(gate, gold_worker)


@pytest.fixture(scope="session")
def empty_tables(new_settings: NewSettings) -> Path:
    """All tables of the contracts, empty; a state copies them in a moment."""
    from lakehouse.tables import create_tables

    settings = new_settings()
    create_tables(settings)
    return Path(settings.tables_uri)


@pytest.fixture(scope="session")
def new_lake(
    spark: "SparkSession", new_settings: NewSettings, empty_tables: Path
) -> Callable[..., LakeState]:
    """Makes a state with empty tables, and with a Kafka where its address is given.

    Its ingest begins at the topics' present ends: what other tests sent is not its own.
    """

    def make(kafka: str | None = None) -> LakeState:
        settings = new_settings(**({"kafka_bootstrap": kafka} if kafka else {}))
        shutil.copytree(empty_tables, settings.tables_uri)
        if kafka:
            _begin_at_the_end(settings)
        return LakeState(spark, settings)

    return make


@pytest.fixture(scope="session")
def published_once(
    new_lake: Callable[..., LakeState],
    spark: "SparkSession",
    tmp_path_factory: pytest.TempPathFactory,
    request: pytest.FixtureRequest,
) -> Published:
    """A small shop that went all the way twice, its Kafka at rest; work on copies of it."""

    def make() -> dict[str, str]:
        state = new_lake()
        with own_kafka(state.settings) as settings:
            lake = LakeState(state.spark, settings)
            earlier = _publish_twice(lake, request.getfixturevalue("workers"))
            return {"settings": settings.model_dump_json(), "earlier": earlier.decode()}

    made = once(tmp_path_factory, "published", make)
    settings = Settings.model_validate_json(made["settings"])
    return Published(LakeState(spark, settings), made["earlier"].encode())


def _publish_twice(lake: LakeState, workers: "Workers") -> bytes:
    from streaming.producer import Source, produce

    source = [
        *(erp(0, InvoiceNo=str(540_000 + n), Quantity=str(n % 7 + 1)) for n in range(40)),
        *(erp(0, InvoiceNo="540001", Quantity="2", occurrence=n) for n in (1, 2)),
        erp(0, InvoiceNo="C540009", Quantity="-2"),
        erp(0, InvoiceNo="540100", Quantity="six"),
        erp(0, InvoiceNo="540101", InvoiceDate="2/30/2011 10:00"),
        *(web_order(0, {}, {"sku": "SHADE"}, event_id=f"w-{n}", order_id=f"W-{n}") for n in (1, 2)),
    ]
    produce(messages_of(*source), source=Source("first", "first"), settings=lake.settings)
    lake.ingest()
    lake.refine()
    bring_into_service(lake.settings, workers, run_id="first")
    earlier = (lake.settings.gold_dir / CURRENT).read_bytes()
    later = [erp(0, InvoiceNo="550000"), erp(0, InvoiceNo="550001", Quantity="9")]
    produce(messages_of(*later), source=Source("second", "second"), settings=lake.settings)
    lake.ingest()
    lake.refine()
    bring_into_service(lake.settings, workers, run_id="second")
    return earlier


@pytest.fixture
def published(published_once: Published, tmp_path: Path) -> Published:
    """A copy of the published shop, free to be damaged."""
    return Published(published_once.lake.copy(tmp_path / "state"), published_once.earlier_pointer)


@pytest.fixture
def published_on_kafka(published_once: Published, tmp_path: Path) -> Iterator[Published]:
    """A copy of the published shop whose Kafka runs, a copy too: it holds no other records."""
    lake = published_once.lake.copy(tmp_path / "state", kafka=True)
    with own_kafka(lake.settings) as settings:
        yield Published(LakeState(lake.spark, settings), published_once.earlier_pointer)


@pytest.fixture
def lake(new_lake: Callable[..., LakeState]) -> LakeState:
    """A state with empty tables, without a Kafka."""
    return new_lake()


@pytest.fixture
def kafka_lake(new_lake: Callable[..., LakeState], kafka: str) -> LakeState:
    """A state with empty tables on the shared Kafka."""
    return new_lake(kafka)


def _begin_at_the_end(settings: Settings) -> None:
    from lakehouse.contracts.topics import subscribed_topics
    from streaming import kafka_admin
    from streaming.checkpoints import start_file
    from streaming.ingest import QUERY

    starts: dict[str, dict[str, int]] = {}
    for (topic, partition), end in kafka_admin.end_offsets(
        settings.bootstrap, subscribed_topics()
    ).items():
        starts.setdefault(topic, {})[str(partition)] = end
    path = start_file(QUERY, settings=settings)
    path.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError):
        path.write_text(json.dumps(starts), encoding="utf-8")

"""A seeded shop in a Kafka of its own, read once without a fault; each test takes a fresh lake."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from lakehouse.settings import Settings
from tests.brokers import own_kafka
from tests.faults.proof import Shop, Trial, rows_of
from tests.faults.source import Truth, seeded_shop
from tests.lake_state import LakeState, NewSettings, bring_into_service

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from pipelines.publishing.publish import Workers
    from storefront.messages import Message

SMALL_BATCHES: dict[str, Any] = {"ingest_max_records": 200, "refine_max_bytes": "15k"}
"""Two hundred records an ingest batch, few files a refine batch: several in a short run."""


@pytest.fixture(scope="session")
def new_broker(new_settings: NewSettings) -> Iterator[Callable[[], Settings]]:
    """Makes settings of a state whose own Kafka runs; it ends with the tests."""
    with ExitStack() as stack:

        def make() -> Settings:
            return stack.enter_context(own_kafka(new_settings()))

        yield make


@pytest.fixture(scope="session")
def open_shop(
    spark: "SparkSession",
    new_settings: NewSettings,
    empty_tables: Path,
    workers: "Workers",
    tmp_path_factory: pytest.TempPathFactory,
) -> "Callable[[Settings, list[Message], Truth], Shop]":
    """Sends messages to a Kafka that holds nothing else, and runs them through a clean lake."""
    from streaming.producer import Source, produce

    def make(kafka: Settings, messages: "list[Message]", truth: Truth) -> Shop:
        origin = new_settings(kafka_bootstrap=kafka.bootstrap)
        shutil.copytree(empty_tables, origin.tables_uri)
        produce(messages, source=Source("faults", "faults"), settings=origin)
        shop = Shop(origin, truth, {})
        clean = LakeState(spark, shop.new_lake(tmp_path_factory.mktemp("clean") / "state"))
        clean.ingest()
        clean.refine()
        bring_into_service(clean.settings, workers)
        return Shop(origin, truth, rows_of(clean.settings))

    return make


@pytest.fixture(scope="session")
def shop(
    new_broker: Callable[[], Settings],
    open_shop: "Callable[[Settings, list[Message], Truth], Shop]",
) -> Shop:
    """600 records of every kind in a Kafka of their own."""
    return open_shop(new_broker(), *seeded_shop(600, seed=4))


@pytest.fixture
def trial(shop: Shop, spark: "SparkSession", workers: "Workers", tmp_path: Path) -> Trial:
    """A fresh lake before the shop, set to small batches."""
    settings = shop.new_lake(tmp_path / "state", **SMALL_BATCHES)
    return Trial(shop, LakeState(spark, settings), workers)

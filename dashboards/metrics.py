"""What a monitoring system reads of the platform: `/metrics` for Prometheus, `/readyz` for probes.

In: the bus, the reader of live figures, the ledger, the checkpoints and, where Kafka answers, its
offsets; all are read when they are asked for. Out: gauges and counters as text. A part that can't
be read has no sample, and the scrape works all the same.
"""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

from fastapi import FastAPI
from fastapi.responses import JSONResponse, Response
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Histogram,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from dashboards.live_figures import LiveReader
from dashboards.published import PublishedGold
from lakehouse.contracts.topics import SOURCE_TOPICS
from lakehouse.errors import LakeError
from lakehouse.ledger import publishes
from lakehouse.pointer import NothingPublished
from lakehouse.settings import Settings
from streaming import checkpoints, ingest, kafka_admin, live_topic
from streaming.progress import read_progress

_BUCKETS = (0.1, 0.25, 0.5, 0.75, 1, 1.5, 2, 3, 5, 10, 30, 60)
_TOPICS = tuple(topic.name for topic in SOURCE_TOPICS)
Metric = GaugeMetricFamily | CounterMetricFamily


class LatencyMeter:
    """How long a record is on its way from Kafka to the clients of this process."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._histogram = Histogram(
            "cartlake_event_to_clients_seconds",
            "From a record's arrival in Kafka to the live figures that hold it, per version.",
            buckets=_BUCKETS,
            registry=registry,
        )

    def observe(self, seconds: float) -> None:
        """Note the oldest record of a version."""
        self._histogram.observe(seconds)


class _State(Collector):
    """Everything that is looked up when it is asked for."""

    def __init__(self, settings: Settings, reader: LiveReader, clients: Callable[[], int]) -> None:
        self._settings = settings
        self._reader = reader
        self._clients = clients

    def collect(self) -> Iterator[Metric]:
        yield GaugeMetricFamily(
            "cartlake_clients", "Browsers that listen for news.", value=self._clients()
        )
        yield GaugeMetricFamily(
            "cartlake_live_connected",
            "Whether live figures can be read from Kafka (1) or not (0).",
            value=int(self._reader.is_connected),
        )
        yield CounterMetricFamily(
            "cartlake_live_versions",
            "Versions of the live figures that were handed to clients.",
            value=self._reader.version_count,
        )
        yield CounterMetricFamily(
            "cartlake_live_errors",
            "Times that the connection to the live figures failed.",
            value=self._reader.error_count,
        )
        for part in (self._publishes, self._lag, self._batches):
            with contextlib.suppress(LakeError, OSError, ValueError, KeyError):
                yield from part()

    def _publishes(self) -> Iterator[Metric]:
        done = len(publishes.lines(self._settings, "published"))
        yield CounterMetricFamily(
            "cartlake_publishes", "Versions brought into service.", value=done
        )

    def _lag(self) -> Iterator[Metric]:
        records = GaugeMetricFamily(
            "cartlake_topic_records",
            "Next offset of a topic, over its partitions.",
            labels=["topic"],
        )
        lag = GaugeMetricFamily(
            "cartlake_lag_records",
            "Records of a topic that a query has still to read.",
            labels=["query", "topic"],
        )
        if not self._reader.is_connected:
            return
        ends = kafka_admin.end_offsets(self._settings.bootstrap, _TOPICS)
        read = {
            ingest.QUERY: checkpoints.next_offsets(ingest.QUERY, settings=self._settings),
            live_topic.QUERY: self._reader.figures.positions,
        }
        for topic in _TOPICS:
            mine = {place: end for place, end in ends.items() if place[0] == topic}
            records.add_metric([topic], sum(mine.values()))
            for query, offsets in read.items():
                if any(place in offsets for place in mine):
                    behind = sum(max(end - offsets.get(at, 0), 0) for at, end in mine.items())
                    lag.add_metric([query, topic], behind)
        yield records
        yield lag

    def _batches(self) -> Iterator[Metric]:
        seconds = GaugeMetricFamily(
            "cartlake_batch_seconds",
            "Length of a query's last batch with records.",
            labels=["query"],
        )
        records = GaugeMetricFamily(
            "cartlake_batch_records", "Records of that batch.", labels=["query"]
        )
        failures = CounterMetricFamily(
            "cartlake_query_failures", "Times that a query was started again.", labels=["query"]
        )
        for query, found in read_progress(self._settings).items():
            seconds.add_metric([query], found["seconds"])
            records.add_metric([query], found["records"])
            failures.add_metric([query], found["failures"])
        yield from (seconds, records, failures)


def add_routes(
    server: FastAPI,
    gold: PublishedGold,
    *,
    reader: LiveReader,
    clients: Callable[[], int],
) -> None:
    """Serve `/metrics` and `/readyz`."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    registry.register(_State(gold.settings, reader, clients))
    reader.on_latency = LatencyMeter(registry).observe

    def metrics() -> Response:
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    def ready() -> Any:
        live = {"connected": reader.is_connected, "at": reader.figures.at or None}
        try:
            with gold.reader() as found:
                found.cursor.execute("select 1").fetchall()
                run_id = found.version.run_id
        except NothingPublished:
            return JSONResponse({"ready": False, "why": "empty", "live": live}, status_code=503)
        except LakeError as error:
            content = {"ready": False, "why": str(error), "live": live}
            return JSONResponse(content, status_code=503)
        return {"ready": True, "run_id": run_id, "live": live}

    server.add_api_route("/metrics", metrics, methods=["GET"])
    server.add_api_route("/readyz", ready, methods=["GET"])

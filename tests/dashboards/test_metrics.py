"""What monitoring reads: metrics at any time, and ready once gold can be read."""

import http.client
import json
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from lakehouse.settings import Settings
from streaming.progress import read_progress, write_progress


def get(server: Any, path: str) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", server.settings.dashboard_port, timeout=30)
    connection.request("GET", path)
    answer = connection.getresponse()
    found = answer.status, answer.read().decode()
    connection.close()
    return found


def samples(text: str) -> dict[str, float]:
    return {
        f"{sample.name}{sorted(sample.labels.values()) or ''}": sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_metrics_tell_of_clients_streams_and_the_topic(server: Any) -> None:
    server.clear()
    progress = {"refine": {"seconds": 1.5, "records": 7, "failures": 2}}
    write_progress(progress, settings=server.settings)
    status, text = get(server, "/metrics")
    found = samples(text)
    assert status == 200
    assert found["cartlake_clients"] == 0
    assert found["cartlake_publishes_total"] == 0
    assert found["cartlake_live_versions_total"] >= 0
    assert found["cartlake_batch_seconds['refine']"] == 1.5
    assert found["cartlake_batch_records['refine']"] == 7
    assert found["cartlake_query_failures_total['refine']"] == 2
    assert found["process_open_fds"] > 0


def test_a_damaged_file_of_progress_costs_its_own_samples_only(server: Any) -> None:
    server.clear()
    (server.settings.live_dir).mkdir(parents=True, exist_ok=True)
    (server.settings.live_dir / "streams.json").write_text("{", encoding="utf-8")
    status, text = get(server, "/metrics")
    assert status == 200
    assert "cartlake_clients" in samples(text)
    assert not [name for name in samples(text) if "batch" in name]
    write_progress({}, settings=server.settings)


def test_the_screens_are_ready_once_gold_can_be_read(server: Any) -> None:
    server.clear()
    status, text = get(server, "/readyz")
    assert (status, json.loads(text)["why"]) == (503, "empty")
    server.publish("run-1")
    status, text = get(server, "/readyz")
    assert (status, json.loads(text)["ready"], json.loads(text)["run_id"]) == (200, True, "run-1")


def test_no_progress_is_known_before_the_streams_have_run(tmp_path: Any) -> None:
    assert read_progress(Settings(home=tmp_path / "state")) == {}

"""What `lake airflow` refuses, in one sentence, before anything is installed or started."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from lakehouse.errors import LakeError
from lakehouse.settings import Settings
from operations.airflow import embedded, runs
from tests.brokers import free_ports


def never(text: str) -> None:
    raise AssertionError(text)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "state", airflow_port=free_ports(1)[0])


@pytest.fixture
def taken(settings: Settings) -> Iterator[int]:
    with socket.create_server(("127.0.0.1", settings.airflow_port)):
        yield settings.airflow_port


def test_a_taken_port_is_named_with_the_setting(settings: Settings, taken: int) -> None:
    with pytest.raises(LakeError, match=rf"Port {taken} .* is taken by .*LAKE_AIRFLOW_PORT"):
        embedded.start(settings, say=never)


def test_nothing_is_stopped_where_nothing_runs(settings: Settings) -> None:
    assert embedded.stop(settings) is None
    assert not settings.home.exists()


def test_an_unknown_dag_is_refused_with_those_there_are(settings: Settings) -> None:
    with pytest.raises(
        LakeError, match=r"no DAG 'shop'\. DAGs: shop_daily, shop_ml, shop_weekly, "
    ):
        runs.run(settings, "shop", values={}, say=never, on_change=print)


@pytest.mark.parametrize(
    ("dag", "values", "message"),
    [
        ("shop_daily", {"from": "2011-01-01"}, r"shop_daily takes no parameters\."),
        ("shop_backfill", {"from": "2011-01-01"}, r"--set from=DAY --set to=DAY`\."),
    ],
)
def test_parameters_that_a_dag_does_not_have_are_refused(
    settings: Settings, dag: str, values: dict[str, str], message: str
) -> None:
    with pytest.raises(LakeError, match=message):
        runs.run(settings, dag, values=values, say=never, on_change=print)

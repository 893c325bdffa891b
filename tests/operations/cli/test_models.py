"""`lake models page`: MLflow's own page over the registry of this state."""

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner

from lakehouse.errors import LakeError
from lakehouse.http import answer_of
from lakehouse.processes.programs import LOOPBACK
from operations.cli import app
from operations.cli import models as commands
from tests.brokers import free_ports


def test_a_taken_port_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert commands.__name__
    monkeypatch.setenv("LAKE_HOME", str(tmp_path / "state"))
    with closing(socket.create_server((LOOPBACK, 0))) as taken:
        port = str(taken.getsockname()[1])
        refused = CliRunner().invoke(app, ["models", "page", "--port", port])
    assert isinstance(refused.exception, LakeError)
    assert f"Port {port} is taken" in str(refused.exception)


@pytest.mark.slow
def test_the_page_answers_until_it_is_interrupted(tmp_path: Path) -> None:
    (port,) = free_ports(1)
    program = subprocess.Popen(
        [str(Path(sys.prefix) / "bin" / "lake"), "models", "page", "--port", str(port)],
        env={**os.environ, "LAKE_HOME": str(tmp_path / "state")},
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert program.stdout is not None
    assert program.stdout.readline() == f"MLflow's page: http://127.0.0.1:{port}/\n"
    address = f"http://127.0.0.1:{port}/api/2.0/mlflow/experiments/search?max_results=1"
    deadline = time.monotonic() + 120
    while not (found := answer_of(address)):
        assert time.monotonic() < deadline
        time.sleep(0.5)
    assert found["experiments"][0]["name"] == "Default"
    os.killpg(program.pid, signal.SIGINT)
    program.communicate(timeout=30)
    with closing(socket.create_server((LOOPBACK, port))):
        pass

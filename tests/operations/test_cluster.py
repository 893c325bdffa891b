"""A Spark cluster: what is said when none answers, its secret, and its real run with `--stack`."""

import json
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from lakehouse import spark_cluster
from lakehouse.errors import LakeError
from lakehouse.settings import PROJECT_ROOT, Settings
from operations import cluster
from tests.brokers import free_ports
from tests.lake_state import NewSettings

ON_EXECUTORS = """
import json, sys
from lakehouse.settings import Settings
from lakehouse.spark import open_session

def where(batches):
    import lakehouse, pyarrow
    for batch in batches:
        yield pyarrow.RecordBatch.from_pydict(
            {"place": [" ".join((sys.executable, lakehouse.__file__))] * batch.num_rows}
        )

settings = Settings(**json.loads(sys.argv[1]))
spark = open_session(settings)
places = spark.range(4, numPartitions=2).mapInArrow(where, "place string").collect()
path = f"{settings.home}/table"
spark.range(1000).write.format("delta").save(path)
total = spark.read.format("delta").load(path).selectExpr("sum(id)").collect()[0][0]
print(json.dumps([sorted({row.place for row in places}), total, spark.sparkContext.master]))
"""


def test_a_master_that_does_not_answer_is_told_at_once(new_settings: NewSettings) -> None:
    port = free_ports(1)[0]
    with pytest.raises(LakeError, match=rf"^No Spark master answers at spark://127.0.0.1:{port}"):
        spark_cluster.require_master(new_settings(spark_master=f"spark://127.0.0.1:{port}"))
    with socket.create_server(("127.0.0.1", port)):
        spark_cluster.require_master(new_settings(spark_master=f"spark://127.0.0.1:{port}"))
    for other in ("local[2]", "yarn", "spark://one:7077,two:7077"):
        spark_cluster.require_master(new_settings(spark_master=other))


def test_the_secret_is_made_once_for_its_owner_and_is_on_no_command_line(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "lake")
    assert spark_cluster.secret(settings) is None
    spark_cluster.make_secret(settings)
    secret = spark_cluster.secret(settings)
    assert secret is not None
    assert len(secret) >= 32
    spark_cluster.make_secret(settings)
    assert spark_cluster.secret(settings) == secret
    assert (settings.cluster_dir / "secret").stat().st_mode & 0o777 == 0o600
    assert settings.cluster_dir.stat().st_mode & 0o777 == 0o700
    master = spark_cluster.master(settings, host="127.0.0.1")
    assert not [each for each in master.command if secret in each]
    assert master.environment["_SPARK_AUTH_SECRET"] == secret


def test_a_taken_port_is_named_before_anything_starts(new_settings: NewSettings) -> None:
    settings = new_settings(cluster_port=free_ports(1)[0])
    with (
        socket.create_server(("127.0.0.1", settings.cluster_port)),
        pytest.raises(LakeError, match=rf"Port {settings.cluster_port}.* set LAKE_CLUSTER_PORT"),
    ):
        cluster.start(settings, workers=1, cores=1, memory="1g")
    assert cluster.status(settings).pid is None
    assert cluster.stop(settings) == 0


@pytest.mark.stack
def test_executors_run_our_code_and_read_delta_and_nothing_is_left_behind(
    new_settings: NewSettings,
) -> None:
    port, page = free_ports(2)
    settings = new_settings(
        cluster_port=port,
        cluster_page_port=page,
        spark_master=f"spark://127.0.0.1:{port}",
    )
    found = cluster.start(settings, workers=2, cores=1, memory="1g")
    try:
        assert (found.alive, found.started, found.address) == (2, 2, settings.spark_master)
        with pytest.raises(LakeError, match="The cluster runs already at"):
            cluster.start(settings, workers=1, cores=1, memory="1g")
        family = [
            each
            for each in psutil.process_iter()
            if spark_cluster.mark(settings) in _arguments(each)
        ]
        assert len(family) == 3
        open_to = {
            connection.laddr.ip.removeprefix("::ffff:")
            for each in family
            for connection in each.net_connections(kind="inet")
            if connection.status == psutil.CONN_LISTEN
        }
        assert open_to == {"127.0.0.1"}
        done = subprocess.run(
            [sys.executable, "-c", ON_EXECUTORS, settings.model_dump_json()],
            env=settings.environment(),
            cwd=PROJECT_ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        place = f"{sys.executable} {PROJECT_ROOT / 'lakehouse' / '__init__.py'}"
        assert json.loads(done.stdout) == [[place], 499_500, settings.spark_master]
    finally:
        stopped = cluster.stop(settings)
    assert stopped == 3
    assert not any(each.is_running() for each in family)


def _arguments(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []

"""A batch starts no process but the `chmod` of a file that Spark writes."""

from pathlib import Path

import psutil
import pytest
from pyspark.sql import SparkSession

from streaming.queries import await_all_available
from streaming.refine import QUERY, start_refine
from tests.lake_state import LakeState, erp, everything, web_order

pytestmark = pytest.mark.spark

FILES = 2
"""Of the checkpoint. Hadoop can't set a permission without the shell unless its native library is
there."""


def faults_of_children(process: psutil.Process) -> int:
    """Grows with each process that this one started and waited for: each causes page faults."""
    facts = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return int(facts[8])


def faults_of_a_command(spark: SparkSession, java: psutil.Process, path: Path) -> float:
    """Page faults of one `chmod` that Java starts."""
    before, times = faults_of_children(java), 5
    assert spark._jvm is not None
    for _ in range(times):
        spark._jvm.java.lang.Runtime.getRuntime().exec(f"chmod 0644 {path}").waitFor()
    return (faults_of_children(java) - before) / times


def test_a_batch_of_ingest_and_refine_only_sets_permissions(
    lake: LakeState, tmp_path: Path
) -> None:
    children = psutil.Process().children(recursive=True)
    (java,) = (
        each for each in children if each.name() == "java" and "pyspark-shell" in each.cmdline()
    )
    (tmp_path / "file").touch()
    of_one = faults_of_a_command(lake.spark, java, tmp_path / "file")
    query = start_refine(lake.spark, settings=lake.settings, follow=True)
    try:
        lake.land(*everything())
        await_all_available(query, name=QUERY)
        before = faults_of_children(java)
        # A commit of bronze, as ingest makes it, and a batch of refine with a new row and a repeat.
        lake.land(erp(10, Quantity="8"), erp(11), web_order(10, event_id="order-10"))
        await_all_available(query, name=QUERY)
        assert round((faults_of_children(java) - before) / of_one) <= FILES
    finally:
        query.stop()

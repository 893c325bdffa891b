"""The proof without us imports nothing of ours, and agrees with `lake audit` on every damage."""

import ast
import json
import subprocess
import sys
from typing import Any

import pytest

from lakehouse.contracts.tables import BRONZE_EVENTS, ORDER_LINES
from lakehouse.ledger import chain
from lakehouse.pointer import CURRENT
from lakehouse.settings import PROJECT_ROOT, Settings
from operations.audit import audit_service
from pipelines.publishing.rollback import roll_back
from tests.lake_state import Published, erp, failing
from tests.quality.audit.test_audit import DAMAGES, append_bronze_again, delete_an_order

TOOL = PROJECT_ROOT / "tools" / "verify_ledger.py"
OURS = "lakehouse,storefront,streaming,pipelines,quality,dashboards,duckdb,deltalake,delta,pyspark"
EACH_RUN = ("byte flipped", "chunk line deleted", "ledger amount edited", "pointer edited")
GUARDED = """
import runpy, sys

class Guard:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in OURS:
            raise ImportError(f"{name} is not to be imported here")
        return None

OURS = sys.argv.pop(1).split(",")
sys.meta_path.insert(0, Guard())
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def prove(settings: Settings, *options: str) -> tuple[int, list[dict[str, Any]]]:
    """Exit code and verdicts of the tool, in a process where our packages can't be imported."""
    done = subprocess.run(
        [
            sys.executable,
            "-I",
            "-c",
            GUARDED,
            OURS,
            str(TOOL),
            str(settings.home),
            "--json",
            *options,
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    return done.returncode, json.loads(done.stdout)


def failed(verdicts: list[dict[str, Any]]) -> dict[str, list[str]]:
    """Differences by equation, of those that fail."""
    found: dict[str, list[str]] = {}
    for each in verdicts:
        if not each["holds"]:
            found.setdefault(each["equation"], []).extend(each["differences"])
    return found


def test_it_imports_the_standard_library_and_pyarrow_only() -> None:
    found = set()
    for node in ast.walk(ast.parse(TOOL.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add((node.module or "").partition(".")[0])
    assert found - set(sys.stdlib_module_names) == {"pyarrow"}


def test_a_folder_without_a_ledger_is_refused(new_settings: Any) -> None:
    done = subprocess.run(
        [sys.executable, "-I", str(TOOL), str(new_settings().home)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "it has no ledger" in done.stderr


@pytest.mark.spark
@pytest.mark.kafka
def test_a_sound_state_is_proven_with_the_same_figures_as_the_audit(published: Published) -> None:
    code, verdicts = prove(published.settings, "--digests")
    assert (code, failed(verdicts)) == (0, {})
    ours = {
        (e.equation, e.statement): (e.left, e.right)
        for e in audit_service(published.settings, full=True)
    }
    theirs = {(v["equation"], v["statement"]): (v["left"], v["right"]) for v in verdicts}
    shared = {key: sides for key, sides in theirs.items() if key in ours}
    assert {key: ours[key] for key in shared} == shared
    assert {equation for equation, _ in shared} == {f"R{n}" for n in range(1, 9)}
    gold = [sides for (equation, text), sides in theirs.items() if "this file" in text]
    assert len(gold) == 19
    assert all(left == right for left, right in gold)


@pytest.mark.spark
@pytest.mark.kafka
@pytest.mark.parametrize(
    "damage",
    [pytest.param(each, marks=() if each in EACH_RUN else pytest.mark.slow) for each in DAMAGES],
)
def test_it_agrees_with_the_audit_on_a_damage(published: Published, damage: str) -> None:
    act, equation, named = DAMAGES[damage]
    act(published.settings)
    code, verdicts = prove(published.settings)
    assert code == 1
    assert equation in failed(verdicts)
    assert set(failed(verdicts)) == set(failing(audit_service(published.settings, full=True)))
    if equation != "R5":
        assert named in "; ".join(failed(verdicts)[equation])


@pytest.mark.spark
@pytest.mark.kafka
@pytest.mark.slow
def test_it_agrees_with_the_audit_on_doubled_and_lost_records_and_a_moved_pointer(
    published: Published,
) -> None:
    settings = published.settings
    append_bronze_again(published.lake)
    delete_an_order(published.lake)
    (settings.gold_dir / CURRENT).write_bytes(published.earlier_pointer)
    ours = failing(audit_service(settings, full=True))
    code, verdicts = prove(settings)
    assert code == 1
    assert set(failed(verdicts)) == set(ours) == {"R1", "R2", "R8"}


@pytest.mark.spark
@pytest.mark.kafka
def test_a_recorded_rollback_is_proven_and_an_unrecorded_one_named(published: Published) -> None:
    settings = published.settings
    second = (settings.gold_dir / CURRENT).read_bytes()
    assert roll_back(settings, reason="wrong prices").run_id == "first"
    assert failing(audit_service(settings, full=True)) == {}
    code, verdicts = prove(settings)
    assert (code, failed(verdicts)) == (0, {})
    (settings.gold_dir / CURRENT).write_bytes(second)
    moved = ["CURRENT points to run second, last published: first"]
    assert failing(audit_service(settings, full=True)) == {"R8": tuple(moved)}
    assert failed(prove(settings)[1]) == {"R8": moved}


@pytest.mark.slow
@pytest.mark.spark
@pytest.mark.kafka
def test_digests_name_the_offsets_where_a_record_was_exchanged(published: Published) -> None:
    lake = published.lake
    lake.landed = 50
    lake.land(erp(20_000, partition=5, InvoiceNo="700001"))
    lake.refine()
    place = f"{lake.settings.tables_uri}/{ORDER_LINES.name.replace('.', '/')}"
    rows = lake.spark.read.format("delta").load(place).filter("source_partition = 5")
    changed = rows.selectExpr(
        *[c for c in rows.columns if c != "line_amount"],
        "cast(line_amount + 0.01 as decimal(18,4)) as line_amount",
    ).localCheckpoint()
    from delta.tables import DeltaTable

    DeltaTable.forPath(lake.spark, place).delete("source_partition = 5")
    changed.select(*rows.columns).write.format("delta").mode("append").save(place)
    (settings := lake.settings).gold_dir.joinpath(CURRENT).unlink()
    audit_service(settings, full=False)
    _, verdicts = prove(settings, "--digests")
    assert failed(verdicts)["digest"] == [
        "erp.invoice_lines.v1/5 offsets 20000 to 29999: bronze and silver differ"
    ]
    assert BRONZE_EVENTS.name not in str(failed(verdicts).get("R6"))
    assert chain.breaks("batches", settings=settings) == []

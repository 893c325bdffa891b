"""An audit that goes on from the last publish reads what came since, and misses nothing of it."""

import shutil
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from lakehouse.contracts.tables import BRONZE_EVENTS, DUPLICATES, ORDER_LINES, QUARANTINE
from lakehouse.contracts.topics import ERP_INVOICE_LINES
from lakehouse.duck import open_lake
from lakehouse.errors import CheckFailed
from lakehouse.ledger import chain, commits, losses, publishes
from lakehouse.settings import Settings
from lakehouse.tables import current_versions, location
from operations.audit import audit_service
from operations.maintain import maintain
from pipelines.publishing.publish import Workers
from quality.audit import acknowledged
from quality.audit.audit import audit
from quality.audit.baseline import Cut, usable_cut
from quality.audit.equation import Pinned, facts_of
from tests.lake_state import LakeState, Published, bring_into_service, erp, failing, messages_of

pytestmark = [pytest.mark.spark, pytest.mark.kafka]
Act = Callable[[LakeState], None]


def cut_of(settings: Settings) -> Cut | None:
    """The cut from which the next publish would go on."""
    commits.derive(settings)
    last = publishes.last_published(settings)
    assert last is not None
    return usable_cut(
        settings,
        last.audited,
        since=last.comparable_versions(settings),
        versions=current_versions(settings),
    )


def add_a_day(lake: LakeState) -> None:
    """One more record through Kafka to silver, and one that repeats an old one."""
    from streaming.producer import Source, produce

    records = [erp(0, InvoiceNo="560000"), erp(0, InvoiceNo="540003", Quantity="4", occurrence=9)]
    produce(messages_of(*records), source=Source("a day", "a day"), settings=lake.settings)
    lake.ingest()
    lake.refine()


@pytest.mark.slow
def test_a_publish_keeps_what_a_full_audit_finds(
    published_on_kafka: Published, workers: Workers
) -> None:
    settings = published_on_kafka.settings
    add_a_day(published_on_kafka.lake)
    assert cut_of(settings) is not None
    outcome = bring_into_service(settings, workers, run_id="third")
    full = audit_service(settings, full=True)
    last = publishes.last_published(settings)
    assert last is not None
    assert last.audited == facts_of(outcome.equations) == facts_of(full)
    assert sum(last.audited["places"].values()) == last.rows[BRONZE_EVENTS.name]
    sides = {(each.equation, each.statement): (each.left, each.right) for each in outcome.equations}
    for each in full:
        if each.equation in ("R1", "R2", "R3", "R4", "R5"):
            assert sides[each.equation, each.statement] == (each.left, each.right)


def test_only_files_since_the_cut_are_read(published_on_kafka: Published) -> None:
    settings = published_on_kafka.settings
    old = [
        path
        for table in (BRONZE_EVENTS, DUPLICATES, QUARANTINE)
        for path in Path(location(table, settings=settings)).glob("*.parquet")
    ]
    add_a_day(published_on_kafka.lake)
    cut = cut_of(settings)
    assert cut is not None
    assert {name: len(files) for name, files in cut.added.items() if files} == {
        BRONZE_EVENTS.name: len(cut.added[BRONZE_EVENTS.name]),
        ORDER_LINES.name: 1,
        DUPLICATES.name: 1,
    }
    last = publishes.last_published(settings)
    assert last is not None
    facts = {"versions": current_versions(settings), "gold": None, "is_published": False}
    since = {"since": last.table_versions, "audited": last.audited}
    for path in old:  # who reads a value of these fails; their footers count the rows
        raw = bytearray(path.read_bytes())
        values = slice(4, len(raw) - 8 - int.from_bytes(raw[-8:-4], "little"))
        raw[values] = bytes(len(raw[values]))
        path.write_bytes(raw)
    found = failing(audit(settings, full=False, **facts, **since))  # type: ignore[arg-type]
    assert found == {}
    assert {"R2", "R3", "R4", "R5"} <= failing(
        audit(settings, full=False, **facts)  # type: ignore[arg-type]
    ).keys()


def lose_a_record(lake: LakeState) -> None:
    lake.landed = 50
    lake.land(erp(0, partition=6))  # in bronze, and refined by nobody


def place_a_record_twice(lake: LakeState) -> None:
    add_a_day(lake)
    ((partition, offset),) = lake.rows(
        ORDER_LINES, "source_partition", "source_offset", where="order_id = '560000'"
    )
    place = location(DUPLICATES, settings=lake.settings)
    rows = lake.spark.read.format("delta").load(place)
    newest = rows.orderBy(rows.refined_batch.desc()).limit(1).localCheckpoint()
    position = {"partition": f"int({partition})", "offset": f"bigint({offset})"}
    columns = (f"{position.get(name, f'`{name}`')} as `{name}`" for name in rows.columns)
    newest.selectExpr(*columns).write.format("delta").mode("append").save(place)


def repeat_what_nobody_accepted(lake: LakeState) -> None:
    lake.landed = 50
    lake.land(erp(0, partition=6))
    place = location(DUPLICATES, settings=lake.settings)
    rows = lake.spark.read.format("delta").load(place).limit(1)
    changes = {"partition": "6", "offset": "0L", "identity": "'nobody'"}
    names = (f"{changes.get(c, f'`{c}`')} as `{c}`" for c in rows.columns)
    rows.selectExpr(*names).selectExpr(
        *(f"cast(`{f.name}` as {f.dataType.simpleString()}) as `{f.name}`" for f in rows.schema)
    ).localCheckpoint().write.format("delta").mode("append").save(place)


def send_another_amount_than_stated(lake: LakeState) -> None:
    from streaming.producer import Source, produce

    (message,) = messages_of(erp(0, InvoiceNo="570000"))
    wrong = message._replace(amount=Decimal("1.00"))
    produce([wrong], source=Source("wrong", "wrong"), settings=lake.settings)
    lake.ingest()
    lake.refine()


def lose_a_row_of_a_batch(lake: LakeState) -> None:
    lake.landed = 50
    lake.land(erp(0, partition=6), erp(2, partition=6))  # states 0 to 2, holds two of three
    lake.refine()


def assert_it_blocks(act: Act, published: Published, workers: Workers, named: str) -> None:
    act(published.lake)
    assert cut_of(published.settings) is not None
    with pytest.raises(CheckFailed, match=rf"The audit failed.*{named}"):
        bring_into_service(published.settings, workers)


@pytest.mark.parametrize(
    ("act", "equation", "named"),
    [
        pytest.param(
            lose_a_record, "R4", "erp.invoice_lines.v1/6/0 is lost", marks=pytest.mark.slow
        ),
        pytest.param(
            repeat_what_nobody_accepted,
            "R4",
            "but the record it repeats is not accepted",
            marks=pytest.mark.slow,
        ),
        pytest.param(lose_a_row_of_a_batch, "R1", "the ranges hold", marks=pytest.mark.slow),
    ],
)
def test_what_went_wrong_since_the_cut_blocks_the_publish(
    published: Published, workers: Workers, act: Act, equation: str, named: str
) -> None:
    assert_it_blocks(act, published, workers, rf"{equation} .*{named}")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("act", "equation", "named"),
    [
        (place_a_record_twice, "R4", "is twice: accepted and re"),
        (send_another_amount_than_stated, "R5", "erp.invoice_lines.v1: acknowledged"),
    ],
)
def test_what_went_wrong_with_a_record_sent_since_the_cut_blocks_the_publish(
    published_on_kafka: Published, workers: Workers, act: Act, equation: str, named: str
) -> None:
    assert_it_blocks(act, published_on_kafka, workers, rf"{equation} .*{named}")


def test_a_batch_that_holds_what_it_does_not_state_fails(published: Published) -> None:
    lake, settings = published.lake, published.settings
    lake.landed = 50
    lake.land(erp(0, partition=6))
    place = location(BRONZE_EVENTS, settings=settings)
    rows = lake.spark.read.format("delta").load(place).filter("batch_id = 50")
    rows.selectExpr(
        *(f"`{c}`" if c != "offset" else "7L as `offset`" for c in rows.columns)
    ).localCheckpoint().write.format("delta").mode("append").save(place)
    commits.derive(settings)
    last = publishes.last_published(settings)
    assert last is not None
    found = failing(
        audit(
            settings,
            versions=current_versions(settings),
            gold=None,
            is_published=False,
            full=False,
            since=last.table_versions,
            audited=last.audited,
        )
    )
    assert found["R2"] == (
        "batch 50 states 1 rows, bronze holds 2",
        f"batch 50 holds offsets of {ERP_INVOICE_LINES.name}/6 that it does not state",
    )


@pytest.mark.slow
def test_anything_but_appends_has_everything_read_again(
    published: Published, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from lakehouse.stages import StageLog, TreeMeter
    from lakehouse.tables import maintenance
    from operations.context import Context
    from pipelines.publishing.publish import PublishOutcome

    settings = published.settings
    before = cut_of(settings)
    assert before is not None
    assert not any(before.added.values())

    joined = published.lake.copy(tmp_path / "joined")
    monkeypatch.setattr(maintenance, "SMALL_FILES_ALLOWED", 1)
    context = Context(joined.settings, StageLog(TreeMeter()), PublishOutcome("joined"))
    context._spark = joined.spark
    maintain(context)
    assert cut_of(joined.settings) is None

    replayed = published.lake.copy(tmp_path / "replayed")
    place = location(QUARANTINE, settings=replayed.settings)
    replayed.spark.sql(f"update delta.`{place}` set replayed_at = current_timestamp()")
    assert cut_of(replayed.settings) is None

    given_up = published.lake.copy(tmp_path / "given-up")
    place_lost = (ERP_INVOICE_LINES.name, 9)
    losses.accept({place_lost: (0, 5)}, reason="a test", settings=given_up.settings)
    assert cut_of(given_up.settings) is None

    set_back = published.lake.copy(tmp_path / "set-back")
    log = Path(location(ORDER_LINES, settings=set_back.settings)) / "_delta_log"
    max(log.glob("*.json")).unlink()
    shutil.rmtree(log / "_commits", ignore_errors=True)
    assert cut_of(set_back.settings) is None


def test_a_chunk_acknowledged_late_has_everything_read_again(published: Published) -> None:
    settings = published.settings
    cut = cut_of(settings)
    assert cut is not None
    lines = [
        line
        for line in chain.lines("produced", settings=settings)
        if line["kind"] == "acknowledged"
    ]
    with open_lake(settings) as lake:
        pinned = Pinned(lake, settings, current_versions(settings), cut=cut)
        assert not acknowledged.reaches_behind(pinned)
        chained = ("at", "previous", "sha256")
        again = {key: value for key, value in lines[0].items() if key not in chained}
        chain.write("produced", again, settings=settings)
        assert acknowledged.reaches_behind(pinned)

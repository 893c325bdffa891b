"""Takes each protection away, one at a time, and sees that its fault test fails without it.

In: the list below: a fault test and the one place of the product that protects it. Out: a line for
each, and exit code 1 when a test passed without its protection. It works on a copy of the project.
Run standalone: `.venv/bin/python -m tests.faults.protections [T14 ...]`, about a minute each.
"""

import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lakehouse.settings import PROJECT_ROOT, Settings
from lakehouse.state import claim

NOT_COPIED = shutil.ignore_patterns(".git", ".lake", ".venv", ".uv", "*_cache", "__pycache__")
FAILED = 1
"""What pytest exits with when a test failed; an error elsewhere proves nothing."""


@dataclass(frozen=True)
class Protection:
    """What protects from a fault: `line` in `file`; `instead` is what stands there without it."""

    test: str
    node: str
    file: str
    line: str
    instead: str = ""
    options: tuple[str, ...] = ()


_TRANSACTION = "if not _has_landed(target, table, transaction):"
_ACKNOWLEDGED = '"acks": "all",\n                "enable.idempotence": True,'
_KNOWN_YEARS = "or not FIRST_YEAR <= at.year <= LAST_YEAR"
_CONFLICT = "    when winner_content <> content_hash then 'conflict'\n"
_NO_CHECKPOINT = "if not metadata.exists() and not start_file(query, settings=settings).exists():"

PROTECTIONS = (
    Protection(
        "T01",
        "tests/streaming/test_ingest.py::test_a_batch_whose_checkpoint_commit_is_lost_lands_once",
        "lakehouse/tables/rows.py",
        _TRANSACTION,
        "if True:",
    ),
    Protection(
        "T02",
        "tests/faults/test_crashes.py::"
        "test_sigkill_after_the_sinks_commit_and_before_the_checkpoints",
        "lakehouse/tables/rows.py",
        _TRANSACTION,
        "if True:",
    ),
    Protection(
        "T03",
        "tests/faults/test_random_kills.py",
        "streaming/refine.py",
        "transaction=Transaction(app_id(QUERY, settings=settings), batch_id),",
        "transaction=Transaction('always the same', 0),",
        ("--fault-kills", "3", "--fault-seed", "1"),
    ),
    Protection(
        "T04",
        "tests/faults/test_endings.py::test_a_stream_that_is_asked_to_stop_in_mid_batch_ends_soon",
        "operations/cli/__init__.py",
        "except KeyboardInterrupt:",
        "except ZeroDivisionError:",
    ),
    Protection(
        "T05",
        "tests/faults/test_endings.py::"
        "test_sigkill_of_the_java_half_ends_the_command_with_one_sentence",
        "operations/cli/__init__.py",
        "Spark's Java process ended",
        "Something ended",
    ),
    Protection(
        "T06",
        "tests/faults/test_crashes.py::"
        "test_two_drivers_of_one_query_the_second_is_refused_and_nothing_is_doubled",
        "lakehouse/locks.py",
        "fcntl.LOCK_EX | fcntl.LOCK_NB",
        "fcntl.LOCK_SH | fcntl.LOCK_NB",
    ),
    Protection(
        "T06",
        "tests/pipelines/publishing/test_pointer.py",
        "pipelines/publishing/pointer.py",
        'other.get("fence", 0) >= line["fence"]',
        "False",
    ),
    Protection(
        "T07",
        "tests/faults/test_checkpoint_damage.py::test_a_deleted_checkpoint_stops",
        "streaming/checkpoints.py",
        _NO_CHECKPOINT,
        "if False:",
    ),
    Protection(
        "T08",
        "tests/faults/test_checkpoint_damage.py::test_a_truncated_checkpoint_file",
        "streaming/checkpoints.py",
        "_require_whole(folder / part / str(number), least=least, query=query)",
        "pass",
    ),
    Protection(
        "T09",
        "tests/faults/test_broker_outages.py::test_a_broker_killed_in_mid_send",
        "streaming/kafka_sender.py",
        _ACKNOWLEDGED,
        '"acks": 0,\n                "enable.idempotence": False,',
    ),
    Protection(
        "T10",
        "tests/faults/test_broker_faults.py::"
        "test_a_frozen_broker_blocks_the_sender_and_nothing_is_dropped",
        "streaming/producer.py",
        "DELIVERY_SECONDS = 120",
        "DELIVERY_SECONDS = 2",
    ),
    Protection(
        "T11",
        "tests/faults/test_broker_outages.py::test_a_broker_that_stays_away",
        "lakehouse/ledger/produced.py",
        'chunks[session, line["chunk"]] = (line["first_index"], end)',
        'chunks[session, line["chunk"]] = (line["first_index"], end); '
        'done.append((line["first_index"], end))',
    ),
    Protection(
        "T12",
        "tests/streaming/test_producer.py::"
        "test_a_producer_killed_between_send_and_acknowledgement_goes_on_without_doubling",
        "lakehouse/ledger/produced.py",
        'chunks[session, line["chunk"]] = (line["first_index"], end)',
        'chunks[session, line["chunk"]] = (line["first_index"], end); '
        'done.append((line["first_index"], end))',
    ),
    Protection(
        "T13",
        "tests/faults/test_broker_outages.py::test_a_network",
        "streaming/kafka_sender.py",
        _ACKNOWLEDGED,
        '"acks": 0,\n                "enable.idempotence": False,',
    ),
    Protection(
        "T14",
        "tests/faults/test_broker_faults.py::"
        "test_records_deleted_before_they_were_read_stop_ingest_until_they_are_given_up_on_the_record",
        "streaming/ingest.py",
        "require_all_held(settings)",
        "pass",
    ),
    Protection(
        "T15 T16 T17",
        "tests/faults/test_data_disorder.py::"
        "test_late_doubled_reordered_and_conflicting_records_leave_the_sources_truth_in_gold",
        "pipelines/transforms/deduplication.py",
        _CONFLICT,
    ),
    Protection(
        "T18",
        "tests/faults/test_poison.py",
        "pipelines/transforms/envelope.py",
        _KNOWN_YEARS,
    ),
    Protection(
        "T19",
        "tests/faults/test_data_disorder.py::"
        "test_a_spike_of_poison_stops_no_stream_and_blocks_the_publish_until_it_is_accepted",
        "quality/gate/refusal_spike.py",
        "spikes = [source for source in sources if source.is_spike]",
        "spikes: list[SourceRefusals] = []",
    ),
    Protection(
        "T20",
        "tests/operations/recovery/test_quarantine.py",
        "operations/recovery/quarantine.py",
        "where ({PLACE}) in (select ({PLACE}) from ({_placed(settings)})))",
        "where false)",
    ),
    Protection(
        "T21",
        "tests/pipelines/silver/test_schema_versions.py",
        "pipelines/transforms/envelope.py",
        "if not topic.oldest_version <= version <= topic.schema_version:",
        "if version != topic.schema_version:",
    ),
    Protection(
        "T22",
        "tests/streaming/test_producer.py::"
        "test_a_message_against_its_contract_is_refused_by_the_producer_and_if_forced_by_the_platform",
        "streaming/producer.py",
        "refusal = refusal_of(message.value, message.topic)",
        "refusal = None",
    ),
    Protection(
        "T23",
        "tests/faults/test_data_times.py",
        "pipelines/transforms/envelope.py",
        _KNOWN_YEARS,
    ),
    Protection(
        "T24",
        "tests/faults/test_full_disk.py",
        "operations/cli/__init__.py",
        "code = _stopped() if str(error) == QUERY_CUT_SHORT else _complain_generally(error)",
        "raise",
    ),
    Protection(
        "T25",
        "tests/quality/audit/test_audit.py::test_damage_is_found_and_named",
        "quality/audit/files.py",
        "found = [*_set_back(name, recorded.get(name, []), pinned), *_changed(expected)]",
        "found = _changed(expected)",
    ),
    Protection(
        "T26",
        "tests/operations/recovery/test_repair.py::"
        "test_a_damaged_table_is_named_repaired_and_published_again",
        "operations/recovery/repair.py",
        "commits.mark_rebuilt(damaged, identity=identity, settings=settings)",
        "pass",
    ),
    Protection(
        "T27",
        "tests/faults/test_data_upkeep.py::test_streams",
        "lakehouse/tables/writing.py",
        "with hold(lock, settings=settings, wait_seconds=LOCK_WAIT_SECONDS):",
        "if lock:",
    ),
    Protection(
        "T28",
        "tests/faults/test_data_upkeep.py::test_a_vacuum_takes_nothing",
        "lakehouse/tables/maintenance.py",
        "require_retention(keep_hours)\n",
        "\n",
    ),
    Protection(
        "T29",
        "tests/faults/test_crashes.py::"
        "test_sigkill_of_dbt_inside_a_model_leaves_the_old_gold_to_all_readers",
        "pipelines/gold/build.py",
        'path = _private_folder(settings, run_id) / f"gold-{run_id}.duckdb"',
        '_private_folder(settings, run_id); path = settings.gold_dir / f"gold-{run_id}.duckdb"',
    ),
    Protection(
        "T30",
        "tests/pipelines/publishing/test_pointer.py",
        "pipelines/publishing/pointer.py",
        'kind = end if all(named) else "abandoned"',
        'kind = "abandoned"',
    ),
    Protection(
        "T31",
        "tests/pipelines/publishing/test_publish.py::test_an_audit_that_fails_keeps_the_old_gold_in_service",
        "pipelines/publishing/publish.py",
        "_require_all(outcome.equations)\n",
        "\n",
    ),
    Protection(
        "T33",
        "tests/faults/test_endings.py::test_a_bad_exit_code_after_the_work_makes_the_retry_a_no_op",
        "pipelines/publishing/publish.py",
        "            is_known\n            and pointer.is_in_service",
        "            False\n            and pointer.is_in_service",
    ),
)


@dataclass(frozen=True)
class Verdict:
    """Whether the test failed without its protection, and what it said."""

    failed: bool
    said: str


def try_without(protection: Protection, *, folder: Path) -> Verdict:
    """Run a fault test on a copy of the project that lacks its protection."""
    copy = folder / "project"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(PROJECT_ROOT, copy, ignore=NOT_COPIED)
    claim(Settings(home=copy / ".lake"))
    (copy / ".lake" / "jars").symlink_to(Settings().jars_dir)
    (copy / ".venv").symlink_to(PROJECT_ROOT / ".venv")
    path = copy / protection.file
    path.write_text(without(protection, path.read_text(encoding="utf-8")), encoding="utf-8")
    file, _, name = protection.node.partition("::")
    chosen = ("-k", name) if name else ()
    ended = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider"),
            *("-W", "ignore", file, *chosen, *protection.options),
        ],
        cwd=copy,
        capture_output=True,
        text=True,
        check=False,
    )
    said = re.findall(r"^E +(\S.*)$", ended.stdout, re.MULTILINE)
    return Verdict(ended.returncode == FAILED, (said or ended.stdout.splitlines()[-1:])[0][:160])


def without(protection: Protection, text: str) -> str:
    """The file's text without the protection. Raises: ValueError unless it is there once."""
    if text.count(protection.line) != 1:
        found = text.count(protection.line)
        raise ValueError(f"{protection.file} has {protection.line.strip()!r} {found} times")
    return text.replace(protection.line, protection.instead)


def main(wanted: Sequence[str]) -> int:
    """Try those that were asked for, or all; 1 when a test passed without its protection."""
    missed = 0
    with tempfile.TemporaryDirectory(prefix="protections-") as folder:
        for each in PROTECTIONS:
            if wanted and not set(each.test.split()) & set(wanted):
                continue
            verdict = try_without(each, folder=Path(folder))
            missed += not verdict.failed
            taken = " ".join(each.line.split())[:70]
            print(
                f"{'fails ' if verdict.failed else 'PASSES'} {each.test}: without `{taken}` of "
                f"{each.file}: {verdict.said}",
                flush=True,
            )
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""The command line without any engine: help, wrong use, what is said before a first run."""

import errno
import importlib
import json
import os
import pkgutil
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import typer.main

import operations.cli
from lakehouse.settings import PROJECT_ROOT, Settings
from lakehouse.tables import create_tables
from operations.jobs import JOBS
from tests.brokers import free_ports
from tests.gold_files import serve_gold

FIRST = r"No gold has been published yet in \S+: run \./lake demo\."
HEAVY = (
    *("pyspark", "deltalake", "duckdb", "pyarrow", "pandas", "kafka"),
    *("dbt", "great_expectations", "scipy", "sklearn", "mlflow", "dash"),
)
SALES = """
create table gold.sales (day date, shop varchar, amount decimal(18, 4), orders bigint);
insert into gold.sales values
    ('2011-07-01', 'Smith, "Sons" & Co', 10631048.7440, 3),
    ('2011-07-02', 'Žofie', -0.5, null);
"""


@dataclass(frozen=True)
class Outcome:
    """What one command left: exit code, standard output, standard error."""

    code: int
    out: str
    err: str


Lake = Callable[..., Outcome]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty state folder that the commands of this test use."""
    monkeypatch.setenv("LAKE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("LAKE_STORAGE", str(tmp_path / "state" / "tables"))
    return tmp_path / "state"


@pytest.fixture
def lake(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Lake]:
    """Runs one command in this process."""

    def run(*arguments: str) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["lake", *arguments])
        capsys.readouterr()
        with pytest.raises(SystemExit) as end:
            operations.cli.main()
        assert isinstance(end.value.code, int)
        return Outcome(end.value.code, *capsys.readouterr())

    yield run
    operations.cli._state["debug"] = False


@pytest.fixture
def gold(home: Path) -> Path:
    """A small published version of gold."""
    return serve_gold(Settings(home=home), SALES)


def commands() -> list[tuple[str, ...]]:
    """Words of every command and group, the bare `lake` first."""
    for module in pkgutil.iter_modules(operations.cli.__path__):
        importlib.import_module(f"operations.cli.{module.name}")
    found: list[tuple[str, ...]] = []

    def add(command: Any, words: tuple[str, ...]) -> None:
        found.append(words)
        for name, inner in getattr(command, "commands", {}).items():
            add(inner, (*words, name))

    add(typer.main.get_command(operations.cli.app), ())
    return found


@pytest.mark.parametrize("arguments", [("list",), ("--help",), ("demo", "--help"), ("job", "nope")])
def test_listing_and_help_import_no_engine(arguments: tuple[str, ...]) -> None:
    assert imported_by(*arguments) == set()


@pytest.mark.parametrize(
    ("arguments", "engines"),
    [
        (("status",), {"duckdb"}),
        (("query", "select 1"), {"duckdb"}),
        (("publish", "list"), set()),
        (("maintain", "--dry-run"), set()),
    ],
)
def test_looking_at_a_state_imports_what_it_reads_with_only(
    arguments: tuple[str, ...], engines: set[str], gold: Path
) -> None:
    assert gold.is_file()
    create_tables(Settings())
    assert imported_by(*arguments) == engines


def imported_by(*arguments: str) -> set[str]:
    """Engines that a command imports in a process of its own."""
    code = (
        "import sys; from operations.cli import main\n"
        f"sys.argv = ['lake', *{arguments!r}]\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        f"print('imported', *[name for name in {HEAVY!r} if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    first, *names = done.stdout.splitlines()[-1].split()
    assert first == "imported"
    return set(names)


def test_the_version_is_that_of_the_project(lake: Lake) -> None:
    said = lake("--version")
    project = tomllib.loads((PROJECT_ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert (said.code, said.out.strip()) == (0, project["project"]["version"])


def test_list_names_each_job_and_those_before_it(lake: Lake) -> None:
    outcome = lake("list")
    assert (outcome.code, outcome.err) == (0, "")
    edges = {line.split()[0]: line.partition("  after ")[2] for line in outcome.out.splitlines()}
    models = {
        "features": "publish",
        "train": "publish",
        "drift": "train",
        "retrain": "drift",
        "score": "features, retrain",
    }
    after_publish = ("report_daily", "report_weekly", "maintain")
    streams = {"ingest": "", "refine": "ingest", "publish": "refine", "alerts": ""}
    assert edges == streams | models | dict.fromkeys(after_publish, "publish")
    assert [name for name in edges if name in streams] == ["ingest", "alerts", "refine", "publish"]
    schedules = dict(line.split()[:2] for line in outcome.out.splitlines())
    assert schedules == {
        **dict.fromkeys(("ingest", "refine", "publish", "report_daily", "report_weekly"), "daily"),
        **dict.fromkeys(models, "ml"),
        "maintain": "weekly",
        "alerts": "alerts",
    }


def test_upkeep_of_an_empty_state_has_nothing_to_do(lake: Lake) -> None:
    outcome = lake("maintain", "--dry-run")
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out == "There are no tables yet: run ./lake demo.\n"


@pytest.mark.parametrize("words", commands(), ids=" ".join)
def test_help_of_every_command_works(lake: Lake, words: tuple[str, ...]) -> None:
    outcome = lake(*words, "--help")
    assert (outcome.code, outcome.err) == (0, "")
    assert f"Usage: {' '.join(('lake', *words))}" in outcome.out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["nonsense"], "nonsense"),
        (["query"], "sql"),
        (["query", "select 1", "--format", "xml"], "xml"),
        (["demo", "--bogus"], "--bogus"),
        (["produce", "history", "--from", "2011-13-01"], "2011-13-01"),
        (["quarantine", "show", "--limit", "0"], "1"),
        (
            ["job", "nope"],
            f"There is no job 'nope'. Jobs: {', '.join(each.name for each in JOBS)}.",
        ),
        (["run", "hourly"], "There is no run 'hourly'. Runs: daily, ml, weekly, alerts."),
        (["maintain", "--keep-hours", "24"], "Files are kept for 168 hours at least"),
        (["reset", "nope"], "There is no query 'nope'. Queries: ingest, refine."),
        (["quarantine", "show", "--reason", "nope"], "There is no reason 'nope'. Reasons: "),
        (["quarantine", "replay", "--reason", "nope"], "There is no reason 'nope'. Reasons: "),
        (["publish", "--accept", "1"], "Use --accept RUN and --reason together, or neither."),
        (["publish", "--accept", "1", "--reason", "x"], "No refusal spike blocked a run '1'"),
        (
            ["publish", "--reason", "x", "list"],
            "Put the options after the command: `lake publish list`.",
        ),
        (["publish", "nope"], "No such command 'nope'"),
        (["publish", "rollback"], "--reason"),
        (["demo", "--sources", "crm"], "There is no source 'crm'."),
        (["demo", "--file", "no-such-file.csv"], "no-such-file.csv does not exist"),
    ],
    ids=lambda each: " ".join(each) if isinstance(each, list) else "",
)
def test_wrong_use_exits_2_with_one_or_two_sentences(
    lake: Lake, home: Path, arguments: list[str], told: str
) -> None:
    outcome = lake(*arguments)
    assert (outcome.code, outcome.out) == (2, "")
    assert told.lower() in outcome.err.lower()
    assert "Traceback" not in outcome.err
    assert "unexpected" not in outcome.err
    assert 1 <= len(re.findall(r"[.!?](?=\s|$)", outcome.err)) <= 2
    assert not home.exists()


def test_without_a_browser_the_tests_do_not_begin(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.which", lambda _name: None)
    said = lake("test")
    assert (said.code, said.out) == (2, "")
    assert said.err.startswith("Chromium is missing, which the tests of the screens drive.")


def test_debug_shows_the_traceback_of_an_error(lake: Lake) -> None:
    outcome = lake("--debug", "job", "nope")
    assert outcome.code == 2
    assert outcome.err.startswith("Traceback")
    assert "There is no job 'nope'." in outcome.err.splitlines()[-1]


def test_a_full_disk_is_told_as_what_it_is(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    def full() -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "gold/CURRENT")

    importlib.import_module("operations.cli.run")
    monkeypatch.setattr("operations.cli.run.in_order", full)
    outcome = lake("list")
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.startswith("The disk is full. Free some space and run the same command")


def test_ctrl_c_exits_130_and_says_that_nothing_is_lost(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    importlib.import_module("operations.cli.run")
    monkeypatch.setattr("operations.cli.run.in_order", interrupted)
    outcome = lake("list")
    assert (outcome.code, outcome.out) == (130, "")
    assert "Stopped. Nothing is lost" in outcome.err


def test_a_java_half_that_nobody_can_reach_is_told_as_such_however_py4j_says_it(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    from py4j.clientserver import ClientServer, JavaParameters
    from py4j.java_gateway import GatewayParameters, JavaGateway

    importlib.import_module("operations.cli.run")
    (port,) = free_ports(1)
    refused = ClientServer(java_parameters=JavaParameters(port=port))
    unanswered = JavaGateway(gateway_parameters=GatewayParameters(port=port))
    try:
        for gateway in (refused, unanswered):
            monkeypatch.setattr(
                "operations.cli.run.in_order", lambda *_, java=gateway: java.jvm.System.gc()
            )
            outcome = lake("list")
            assert outcome.code == 2
            assert outcome.err.startswith("Spark's Java process ended"), outcome.err
    finally:
        refused.shutdown()
        unanswered.shutdown()


def test_a_refused_connection_of_another_server_is_not_put_down_to_java(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    importlib.import_module("operations.cli.run")
    (port,) = free_ports(1)
    monkeypatch.setattr(
        "operations.cli.run.in_order", lambda *_: socket.create_connection(("127.0.0.1", port))
    )
    outcome = lake("list")
    assert outcome.code == 2
    assert outcome.err.startswith("ConnectionRefusedError"), outcome.err


def test_ctrl_c_in_the_middle_of_a_query_is_no_error(lake: Lake, gold: Path) -> None:
    def press_once_it_computes() -> None:
        while not any(each.name.startswith("ThreadPool") for each in threading.enumerate()):
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGINT)

    press = threading.Thread(target=press_once_it_computes)
    press.start()
    outcome = lake("query", "select count(*) from range(100_000_000_000) where hash(range) = 1")
    press.join()
    assert (outcome.code, outcome.err.splitlines()) == (
        130,
        ["Stopped. Nothing is lost: the next run carries on where this one stopped."],
    )


def test_the_console_script_ends_with_the_exit_code_and_no_traceback() -> None:
    script = Path(sys.executable).with_name("lake")
    done = subprocess.run([script, "job", "nope"], capture_output=True, text=True, check=False)
    expected = (2, "", f"There is no job 'nope'. Jobs: {', '.join(each.name for each in JOBS)}.\n")
    assert (done.returncode, done.stdout, done.stderr) == expected


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["query", "select 1"], FIRST),
        (["publish", "rollback", "--reason", "x"], FIRST),
        (["audit"], r"There is nothing to audit yet: run \./lake demo\."),
        (["quarantine", "show"], r"There is no quarantine yet: run \./lake demo\."),
    ],
    ids=lambda each: " ".join(each) if isinstance(each, list) else "",
)
def test_before_the_first_run_a_reader_is_sent_to_the_demo(
    lake: Lake, arguments: list[str], told: str
) -> None:
    outcome = lake(*arguments)
    assert (outcome.code, outcome.out) == (2, "")
    assert re.fullmatch(told, outcome.err.strip())


def test_before_the_first_publish_no_version_is_kept(lake: Lake) -> None:
    told = "Nothing has been published yet: run ./lake demo.\n"
    assert lake("publish", "list") == Outcome(0, told, "")


def test_the_quarantine_of_an_empty_state_is_empty(lake: Lake) -> None:
    assert lake("quarantine", "list") == Outcome(0, "The quarantine is empty.\n", "")


@pytest.mark.usefixtures("gold")
def test_query_prints_csv_that_keeps_every_decimal(lake: Lake) -> None:
    outcome = lake("query", "select * from gold.sales order by day", "--format", "csv")
    assert outcome == Outcome(
        0,
        "day,shop,amount,orders\n"
        '2011-07-01,"Smith, ""Sons"" & Co",10631048.7440,3\n'
        "2011-07-02,Žofie,-0.5000,\n",
        "",
    )


@pytest.mark.usefixtures("gold")
def test_query_prints_json_with_money_as_text(lake: Lake) -> None:
    outcome = lake("query", "select * from gold.sales order by day", "--format", "json")
    assert (outcome.code, outcome.err) == (0, "")
    assert json.loads(outcome.out) == [
        {
            "day": "2011-07-01",
            "shop": 'Smith, "Sons" & Co',
            "amount": "10631048.7440",
            "orders": 3,
        },
        {"day": "2011-07-02", "shop": "Žofie", "amount": "-0.5000", "orders": None},
    ]


@pytest.mark.usefixtures("gold")
def test_query_prints_a_table_unless_told_otherwise(lake: Lake) -> None:
    outcome = lake("query", "select day, amount, orders from gold.sales order by day")
    assert (outcome.code, outcome.err) == (0, "")
    assert [line.split() for line in outcome.out.splitlines()] == [
        ["day", "amount", "orders"],
        ["2011-07-01", "10631048.7440", "3"],
        ["2011-07-02", "-0.5000"],
    ]


@pytest.mark.usefixtures("gold")
def test_query_shows_texts_of_a_table_as_they_are(lake: Lake) -> None:
    outcome = lake("query", "select '[red]sale[/] [bold' as text")
    assert [line.strip() for line in outcome.out.splitlines()] == ["text", "[red]sale[/] [bold"]


@pytest.mark.parametrize(
    "sql",
    [
        "select * from gold.nothing",
        "selekt",
        "delete from gold.sales",
        "create table gold.more (a int)",
        "select * from read_text('/etc/hostname')",
    ],
)
def test_query_only_reads_and_says_why_it_failed(lake: Lake, gold: Path, sql: str) -> None:
    before = gold.read_bytes()
    outcome = lake("query", sql)
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.startswith("The query failed: ")
    assert len(outcome.err.splitlines()) == 1
    assert gold.read_bytes() == before


@pytest.mark.parametrize("pointer", ["", "{}", '{"file": "../gold-1.duckdb"}'])
def test_a_damaged_pointer_is_named(lake: Lake, gold: Path, pointer: str) -> None:
    (gold.parent / "CURRENT").write_text(pointer)
    outcome = lake("query", "select 1")
    assert (outcome.code, outcome.out) == (2, "")
    assert "CURRENT names no gold file" in outcome.err

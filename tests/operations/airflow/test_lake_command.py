"""A command as a task: its lines, its last sentence, its exit code, and its end on request."""

import sys
import threading
from pathlib import Path

import pytest

from operations.airflow import lake_command
from operations.airflow.lake_command import Ended, LakeCommand
from operations.jobs import JOBS

SAYS = """
import sys
print("a stage")
print("Warning: a warning.", file=sys.stderr)
print("The data are wrong: see there.\\n", file=sys.stderr, flush=True)
sys.exit(int(sys.argv[1]))
"""
WAITS = "import threading; print('up', flush=True); threading.Event().wait()"


@pytest.fixture
def python(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Python in the place of `lake`: what a command says and how it ends is the test's."""
    monkeypatch.setattr(lake_command, "program", lambda: sys.executable)


@pytest.mark.usefixtures("python")
def test_a_command_that_fails_ends_with_its_own_sentence() -> None:
    lines: list[str] = []
    ended = LakeCommand(["-c", SAYS, "2"]).run(lines.append)
    assert ended == Ended(2, "The data are wrong: see there.")
    assert sorted(lines) == [
        "The data are wrong: see there.",
        "Warning: a warning.",
        "a stage",
    ]


@pytest.mark.usefixtures("python")
@pytest.mark.parametrize(("code", "failed"), [("0", False), ("1", True), ("2", False)])
def test_only_a_failed_check_of_the_data_is_not_worth_another_try(code: str, failed: bool) -> None:
    assert LakeCommand(["-c", SAYS, code]).run(print).check_failed == failed


@pytest.mark.usefixtures("python")
def test_a_silent_end_is_told_with_its_exit_code() -> None:
    ended = LakeCommand(["-c", "raise SystemExit(7)"]).run(print)
    assert ended.code == 7
    assert ended.sentence.endswith("ended with exit code 7.")


@pytest.mark.usefixtures("python")
def test_a_command_can_be_stopped_while_it_runs() -> None:
    command = LakeCommand(["-c", WAITS])
    ended: list[Ended] = []
    up = threading.Event()
    thread = threading.Thread(target=lambda: ended.append(command.run(lambda _: up.set())))
    thread.start()
    assert up.wait(60)
    command.stop()
    thread.join(60)
    assert [each.code for each in ended] == [-15]


def test_the_program_is_that_of_the_project_and_hears_nothing_of_airflow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAKE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("AIRFLOW_HOME", "/elsewhere")
    assert LakeCommand(["job", "nope"]).run(print) == Ended(
        2, f"There is no job 'nope'. Jobs: {', '.join(each.name for each in JOBS)}."
    )
    assert "AIRFLOW_HOME" not in lake_command._environment()

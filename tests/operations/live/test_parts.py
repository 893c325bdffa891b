"""The programs of the live shop: started again when they end, ended with us, and heard."""

import sys
from collections.abc import Callable

from lakehouse.settings import Settings
from operations.live.parts import Part
from operations.live.pauses import Pauses
from tests.lake_state import NewSettings


class Zero(Pauses):
    """No pause, so that a test need not wait."""

    def failed(self) -> float:
        super().failed()
        return 0.0


def part(settings: Settings, program: str, said: list[str], *, ends: bool = False) -> Part:
    command = [sys.executable, "-c", program]
    return Part("shop", command, settings, said.append, ends=ends, pauses=Zero())


def look_until(part: Part, is_so: Callable[[], bool]) -> None:
    """Look as the supervisor does; each look at a running program waits for its end a little."""
    for _ in range(200):
        part.look()
        if is_so():
            return
        if part._tied is not None:
            import contextlib
            import subprocess

            with contextlib.suppress(subprocess.TimeoutExpired):
                part._tied.supervisor.wait(timeout=0.1)
    raise AssertionError("it never was so")


def test_a_program_that_fails_is_started_again_and_what_it_said_last_is_told(
    new_settings: NewSettings,
) -> None:
    said: list[str] = []
    failing = part(new_settings(), "print('first'); print('no money left'); exit(3)", said)
    look_until(failing, lambda: len(said) == 2)
    failing.stop()
    told = "The shop ended with exit code 3: no money left. It is started again in 0 s."
    assert said == [told, told]


def test_a_program_that_may_end_is_not_started_again(new_settings: NewSettings) -> None:
    said: list[str] = []
    closing = part(new_settings(), "print('closed')", said, ends=True)
    look_until(closing, lambda: closing.has_ended)
    closing.look()
    assert not closing.is_running
    assert said == []
    assert closing.last_words() == ": closed"


def test_a_running_program_ends_in_good_order_when_it_is_stopped(
    new_settings: NewSettings,
) -> None:
    said: list[str] = []
    program = (
        "import signal, sys; from lakehouse.processes.ending import end_in_order; end_in_order();"
        "print('open', flush=True)\n"
        "try: signal.pause()\n"
        "except KeyboardInterrupt: print('in good order')"
    )
    running = part(new_settings(), program, said)
    look_until(running, lambda: running.last_words() == ": open")
    running.stop()
    assert running.last_words() == ": in good order"
    assert not running.is_running

"""Starts and stops the inbox beside the commands, and says whether it runs.

In: settings. Out: a program of its own that goes on until `lake mail stop`.
"""

import socket
import sys
import time

from lakehouse.errors import LakeError
from lakehouse.locks import hold
from lakehouse.processes import programs
from lakehouse.settings import PROJECT_ROOT, Settings

START_SECONDS = 30.0
STOP_SECONDS = 10.0


def port_of_running(settings: Settings) -> int | None:
    """The SMTP port of this state folder's inbox; None where none runs."""
    found = programs.recorded(settings.mail_dir / "inbox.json")
    return None if found is None else int(found.facts["port"])


def page_address(settings: Settings) -> str:
    return f"http://127.0.0.1:{settings.mail_page_port}/"


def start(settings: Settings) -> bool:
    """Start the inbox and wait until it answers. Returns: False where it runs already.

    Raises:
        LakeError: It did not start; the message has its last words.
    """
    with hold("inbox", settings=settings, wait_seconds=START_SECONDS):
        if port_of_running(settings) is not None:
            return False
        settings.mail_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        settings.logs_dir.mkdir(parents=True, exist_ok=True)
        output, mark = settings.logs_dir / "inbox.out", f"--state={settings.mail_dir}"
        command = [sys.executable, "-m", "reports.inbox.serving", mark]
        pid = programs.run_detached(
            command, folder=PROJECT_ROOT, output=output, environment=settings.environment()
        )
        deadline = time.monotonic() + START_SECONDS
        while not all(map(_answers, (settings.mail_port, settings.mail_page_port))):
            if not programs.is_alive(pid) or time.monotonic() > deadline:
                programs.stop(pid, grace_seconds=STOP_SECONDS)
                said = output.read_text(encoding="utf-8", errors="replace").strip().splitlines()
                raise LakeError(said[-1] if said else "The inbox ended as soon as it was started.")
            time.sleep(0.1)
        facts = {"port": settings.mail_port, "page_port": settings.mail_page_port}
        programs.record(settings.mail_dir / "inbox.json", pid=pid, mark=mark, facts=facts)
        return True


def stop(settings: Settings) -> bool:
    """Stop the inbox; its mails stay. Returns: whether it ran."""
    record = settings.mail_dir / "inbox.json"
    return programs.stop_recorded(record, grace_seconds=STOP_SECONDS) is not None


def _answers(port: int) -> bool:
    try:
        with socket.create_connection((programs.LOOPBACK, port), timeout=1.0):
            return True
    except OSError:
        return False

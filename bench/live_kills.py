"""How long the tiles stand still when a part of the live shop is killed under load.

In: a rate and a number of WebSocket clients. Out: for broker, Spark, the program of the streams and
the dashboard, the seconds from SIGKILL until every client has a version with events newer than the
kill; what the clients saw meanwhile (versions and today's orders that fell); and, once the shop has
closed, whether the live figures equal gold. Needs a state with a history, such as `lake demo --once
--quick` leaves.

Run standalone: `.venv/bin/python bench/live_kills.py --rate 20 --viewers 50`.
"""

import argparse
import asyncio
import contextlib
import json
import time
from collections.abc import Callable
from dataclasses import dataclass

import psutil

from lakehouse.processes.programs import listener, run_tied
from lakehouse.settings import PROJECT_ROOT, Settings
from operations.bench.subject import START_SECONDS, await_figures, machine
from operations.live.parts import lake
from streaming import broker

BETWEEN_SECONDS = 20.0
RECOVERY_SECONDS = 180.0
LIVE_SECONDS = 240.0


@dataclass
class Viewer:
    """One client: the newest version, how many events it holds, and what fell on the way."""

    version: int = 0
    events: int = 0
    orders: int = 0
    fell: int = 0
    breaks: int = 0

    def take(self, text: str) -> None:
        """Take a message of the server."""
        live = json.loads(text).get("live")
        if live is None:
            return
        orders = int("".join(filter(str.isdigit, live["figures"]["today/order_count"])))
        self.fell += live["version"] < self.version or orders < self.orders
        self.version, self.orders = live["version"], orders
        self.events = sum(row["next_offset"] for row in live["positions"])


async def follow(viewer: Viewer, settings: Settings) -> None:
    """Watch, and connect again half a second after a break."""
    from websockets.asyncio.client import connect
    from websockets.exceptions import WebSocketException

    host = f"127.0.0.1:{settings.dashboard_port}"
    while True:
        try:
            async with connect(f"ws://{host}/live", origin=f"http://{host}", max_size=None) as link:  # type: ignore[arg-type]
                async for text in link:
                    viewer.take(str(text))
        except (OSError, WebSocketException):
            pass
        viewer.breaks += 1
        await asyncio.sleep(0.5)


async def measure(viewers: list[Viewer], settings: Settings, root: psutil.Process) -> None:
    """Kill each part once; print the seconds until all clients' tiles move again."""
    tasks = [asyncio.create_task(follow(viewer, settings)) for viewer in viewers]
    for name, part in parts(settings, root).items():
        await asyncio.sleep(BETWEEN_SECONDS)
        part().kill()
        killed = time.monotonic()
        await asyncio.sleep(1)  # what was under way at the kill does not count
        held = max(viewer.events for viewer in viewers)
        while any(viewer.events <= held for viewer in viewers):
            if time.monotonic() - killed > RECOVERY_SECONDS:
                raise SystemExit(f"{name}: tiles stand still for {RECOVERY_SECONDS:g} s")
            await asyncio.sleep(0.05)
        seconds = time.monotonic() - killed
        print(f"{name:<12} {seconds:6.1f} s until {len(viewers)} clients move", flush=True)
    for task in tasks:
        task.cancel()


def parts(settings: Settings, root: psutil.Process) -> dict[str, Callable[[], psutil.Process]]:
    """What is killed, as it runs at that time."""

    def named(*words: str) -> psutil.Process:
        for process in root.children(recursive=True):
            with contextlib.suppress(psutil.Error):
                line = " ".join(process.cmdline())
                if all(word in line for word in words) and "supervisor" not in line:
                    return process
        raise SystemExit(f"No process of {' '.join(words)} runs.")

    def kafka() -> psutil.Process:
        pid = broker.status(settings).pid
        if pid is None:
            raise SystemExit("No broker of this state runs.")
        return psutil.Process(pid)

    def screens() -> psutil.Process:
        found = listener(settings.dashboard_port)
        if found is None:
            raise SystemExit("No dashboard runs.")
        return found

    return {
        "broker": kafka,
        "spark": lambda: named("org.apache.spark"),
        "streams": lambda: named("streams", "--live"),
        "dashboard": screens,
    }


def main() -> None:
    """Print the figures, with machine and date."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rate", type=float, default=20.0)
    parser.add_argument("--viewers", type=int, default=50)
    options = parser.parse_args()
    settings = Settings()
    log = settings.logs_dir / "bench.log"
    words = ("live", "--rate", f"{options.rate:g}", "--for", f"{LIVE_SECONDS:g}s")
    tied = run_tied(
        lake(*words, "--publish-every", "1h"),
        folder=PROJECT_ROOT,
        output=log,
        environment=settings.environment(),
    )
    viewers = [Viewer() for _ in range(options.viewers)]
    try:
        await_figures(settings, deadline=time.monotonic() + START_SECONDS, log=str(log))
        asyncio.run(measure(viewers, settings, psutil.Process(tied.pid)))
        code = tied.supervisor.wait()
    finally:
        tied.close()
    print(f"breaks of the line: {sum(viewer.breaks for viewer in viewers)}")
    print(f"versions or orders that fell: {sum(viewer.fell for viewer in viewers)}")
    print(f"lake live, exit code {code}: {log.read_text().strip().splitlines()[-1]}")
    print(", ".join(f"{name} {value}" for name, value in machine().items()))


if __name__ == "__main__":
    main()

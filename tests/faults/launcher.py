"""Runs the real command line with faults planted at named points; the product knows nothing of it.

In: a plan as JSON and the words of a `lake` command, or `-m MODULE` for one of its children. Out:
the command itself, until a planted point is reached.
`tests.faults.commands` starts it.
"""

import contextlib
import errno
import functools
import importlib
import json
import os
import resource
import runpy
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

When = Literal["before", "after"]
LAKE = "lake"
TOGETHER = ","
"""Between the words of commands that run in one process, each in a thread of its own."""


@dataclass(frozen=True)
class Point:
    """A moment of the product: a call of `module.attribute`, just before or just after it.

    `program` is the process in which it happens: the command itself, or a child by its module.
    """

    module: str
    attribute: str
    when: When
    program: str = LAKE


POINTS: dict[str, Point] = {
    # Kafka -> bronze
    "ingest.started": Point("streaming.ingest", "start_query", "after"),
    "ingest.before_write": Point("streaming.ingest", "append_rows", "before"),
    "ingest.after_write": Point("streaming.ingest", "append_rows", "after"),
    # bronze -> silver
    "refine.started": Point("streaming.refine", "start_query", "after"),
    "refine.before_batch": Point("streaming.refine", "refine_records", "before"),
    "refine.after_batch": Point("streaming.refine", "refine_records", "after"),
    "query.ended": Point("streaming.queries", "await_end", "after"),
    "silver.after_append": Point("pipelines.silver.batch_writer", "append_rows", "after"),
    "silver.after_merge": Point("pipelines.silver.batch_writer", "merge_rows", "after"),
    # sending
    "producer.before_chunk": Point("streaming.producer", "_Sender._send", "before"),
    "producer.after_chunk": Point("streaming.producer", "_Sender._send", "after"),
    "producer.before_acknowledge": Point("lakehouse.ledger.produced", "acknowledge", "before"),
    "producer.after_acknowledge": Point("lakehouse.ledger.produced", "acknowledge", "after"),
    # silver -> gold -> service
    "publish.begun": Point("pipelines.publishing.publish", "_row_counts", "before"),
    "publish.after_build": Point("pipelines.publishing.publish", "refresh_gold", "after"),
    "publish.before_intent": Point("pipelines.publishing.pointer", "put_in_service", "before"),
    "publish.before_pointer": Point("pipelines.publishing.pointer", "point_to", "before"),
    "publish.after_pointer": Point("pipelines.publishing.pointer", "point_to", "after"),
    "gold.inside_model": Point(
        "dbt.task.run",
        "ModelRunner._materialization_relations",
        "before",
        "pipelines.gold.dbt_child",
    ),
    # the ledger
    "ledger.before_write": Point("lakehouse.ledger.chain", "write", "before"),
    "ledger.after_write": Point("lakehouse.ledger.chain", "write", "after"),
}

Action = Literal["kill", "stop", "abort", "enospc", "barrier", "note"]
"""kill, stop: SIGKILL or SIGSTOP to the whole process group of the point's process, its JVM too.
abort: end as a crashing library does (exit 134 in a shell). enospc: raise "no space left".
barrier: make `<point>.reached` and wait until `<point>.go` is there. note: write down the time."""


def main() -> None:
    """Plant the plan, then run what follows it on the command line."""
    plan, words = json.loads(sys.argv[1]), sys.argv[2:]
    program = words[1] if words[:1] == ["-m"] else LAKE
    for fault in plan["faults"]:
        if POINTS[fault["point"]].program == program:
            plant(fault, folder=Path(plan["folder"]))
    if program != LAKE:
        sys.argv = words[1:]
        runpy.run_module(program, run_name="__main__", alter_sys=True)
        return
    _plant_in_children(plan)
    sys.argv = ["lake", *words]
    if TOGETHER in words:
        _run_together(words)
        return
    from operations.cli import main as run_command

    run_command()


def plant(fault: dict[str, Any], *, folder: Path) -> None:
    """Wrap a point's call so that its `nth` call, and with `every` each, acts."""
    point, name = POINTS[fault["point"]], fault["point"]
    owner: Any = importlib.import_module(point.module)
    *outer, attribute = point.attribute.split(".")
    for part in outer:
        owner = getattr(owner, part)
    real: Callable[..., Any] = getattr(owner, attribute)
    calls = iter(range(1, sys.maxsize))

    @functools.wraps(real)
    def planted(*args: Any, **options: Any) -> Any:
        is_due = fault["nth"] is None or next(calls) == fault["nth"]
        if is_due and point.when == "before":
            act(fault["action"], name, folder=folder)
        found = real(*args, **options)
        if is_due and point.when == "after":
            act(fault["action"], name, folder=folder)
        return found

    setattr(owner, attribute, planted)


def act(action: Action, name: str, *, folder: Path) -> None:
    """Do what the plan says at a point that was reached."""
    with (folder / "notes.jsonl").open("a", encoding="utf-8") as notes:
        notes.write(json.dumps({"point": name, "pid": os.getpid(), "at": time.time()}) + "\n")
    if action == "kill":
        os.killpg(0, signal.SIGKILL)
        threading.Event().wait()  # the signal may take a moment to arrive: go no further
    elif action == "stop":
        os.killpg(0, signal.SIGSTOP)
    elif action == "abort":
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        os.abort()
    elif action == "enospc":
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), name)
    elif action == "barrier":
        (folder / f"{name}.reached").touch()
        while not (folder / f"{name}.go").exists():
            time.sleep(0.02)


def _plant_in_children(plan: dict[str, Any]) -> None:
    """Have children that the plan names start through this launcher too."""
    programs = {POINTS[fault["point"]].program for fault in plan["faults"]} - {LAKE}
    real = subprocess.Popen
    start = [sys.executable, "-m"]

    class Popen(real):  # type: ignore[type-arg, valid-type, misc]
        def __init__(self, command: Any, *args: Any, **options: Any) -> None:
            if list(command[:2]) == start and command[2] in programs:
                command = [*start, __spec__.name, json.dumps(plan), "-m", *command[2:]]
            super().__init__(command, *args, **options)

    if programs:
        subprocess.Popen = Popen  # type: ignore[misc]


def _run_together(words: list[str]) -> None:
    """Commands side by side in one process, which ends as soon as one of them fails."""
    from operations.cli import app

    def run(command: list[str]) -> None:
        with _ending_the_process():
            app(command, standalone_mode=False)

    threads = [threading.Thread(target=run, args=(command,)) for command in _split(words)]
    for thread in threads:
        thread.start()
    try:
        for thread in threads:
            thread.join()
    except KeyboardInterrupt:  # it reaches this thread only, and the others would go on
        os._exit(130)


@contextlib.contextmanager
def _ending_the_process() -> Iterator[None]:
    try:
        yield
    except BaseException as error:  # noqa: BLE001 - a thread's error would not end the process
        print(f"{type(error).__name__}: {error}", file=sys.stderr, flush=True)
        os._exit(getattr(error, "exit_code", 70))


def _split(words: list[str]) -> list[list[str]]:
    commands: list[list[str]] = [[]]
    for word in words:
        if word == TOGETHER:
            commands.append([])
        else:
            commands[-1].append(word)
    return commands


if __name__ == "__main__":
    main()

"""The main job: broker, sources, bronze, silver, gold, audit, screens, in one command.

In: options. Out: published gold, a report, the screens' address. Sending and ingesting overlap;
the children that judge and build import while Spark starts.
"""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lakehouse.errors import LakeError
from lakehouse.http import DIRECT
from lakehouse.jars.fetch import ensure_jars
from lakehouse.processes.programs import run_tied
from lakehouse.settings import PROJECT_ROOT, Settings, address
from lakehouse.shop_format import counted
from operations import steps
from operations.context import Context, alone
from operations.demo.sender import Feed, Feeder
from storefront.data import embedded_history
from storefront.erp.extract import AS_USUAL, Reading, read_extract

SOURCES = (
    "erp",
    "web",  # part: simulator
)
DEMO_SHOP_DAYS = 3
DEMO_TRIGGER = "5 seconds"
"""How often ingest looks for news beside the sending: each batch costs about half a CPU-second,
however few its records are."""


@dataclass(frozen=True)
class DemoOptions:
    """What the demo sends; `sources` are some of SOURCES."""

    file: Path | None = None
    reading: Reading = AS_USUAL
    quick: bool = False
    sources: tuple[str, ...] = SOURCES


def run_once(
    context: Context,
    options: DemoOptions,
    *,
    kept: contextlib.ExitStack,
    on_progress: Callable[[dict[str, Any]], None],
    on_warning: Callable[[str], None] = print,
) -> None:
    """From the sources to gold in service, as far as there is something new.

    The broker is entered into `kept`: it runs as long as the caller likes.
    """
    from streaming import broker

    settings, log = context.settings, context.log
    check_source(options)
    with log.stage("jars") as stage:
        jars = ensure_jars(settings)
        stage.rows_out = len(jars.kafka) + len(jars.spark)
        stage.note = "checked against the lock"
    with log.stage("broker") as stage:
        stage.note = kept.enter_context(broker.start(settings, detached=False)).note
    context.workers()
    feed = Feed(
        str(options.file.resolve()) if options.file else None,
        options.reading.encoding,
        options.reading.date_order,
        options.quick,
        DEMO_SHOP_DAYS if "web" in options.sources else 0,
    )
    with Feeder(feed, settings=settings, on_news=on_progress) as feeder:
        with log.stage("spark") as stage:
            spark = context.spark()
            stage.note = f"Spark {spark.version}, tables in place"
        if warning := _send_and_ingest(context, feeder):
            on_warning(warning)
    steps.refine(context)
    steps.publish(context)


def check_source(options: DemoOptions) -> None:
    """Refuse a bad extract before anything starts. Raises: LakeError."""
    if options.file is None:
        embedded_history()
    else:
        read_extract(options.file, options.reading)
    unknown = set(options.sources) - set(SOURCES)
    if unknown or not options.sources:
        raise LakeError(
            f"There is no source '{', '.join(sorted(unknown))}'. Use --sources with one or several "
            f"of {','.join(SOURCES)}."
        )


def _send_and_ingest(context: Context, feeder: Feeder) -> str:
    """Send while bronze takes it in; returns what a user should know of the extract."""
    from streaming import broker
    from streaming.ingest import QUERY, start_ingest
    from streaming.queries import await_all_available, query_error

    log = context.log
    before = steps.bronze_rows(context)
    with (
        alone(QUERY, context),
        log.stage("ingest") as ingest,
        log.stage("produce", pid=feeder.pid) as produce,
    ):
        query = start_ingest(
            context.spark(), settings=context.settings, follow=True, every=DEMO_TRIGGER
        )
        try:
            while (answer := feeder.answer(within=0.5)) is None:
                broker.require_alive(context.settings)
                if not query.isActive:
                    break
            if answer is not None:
                produce.rows_in = answer["sent"] + answer["known"]
                produce.rows_out = answer["sent"]
                produce.note = "records" if answer["sent"] else "nothing new: all sent before"
                if answer["refused"]:
                    produce.note += f", {counted(answer['refused'])} of them to the dead letters"
                produce.freeze()
            await_all_available(
                query, name=QUERY, watch=lambda: broker.require_alive(context.settings)
            )
        finally:
            query.stop()
        if (failure := query.exception()) is not None:
            raise query_error(QUERY, str(failure))
        ingest.rows_in = ingest.rows_out = steps.bronze_rows(context) - before
        ingest.note = "records, beside produce"
    return answer["warning"] if answer else ""


@contextlib.contextmanager
def screens(settings: Settings) -> Iterator[str]:
    """The dashboard as a child process; yields its address once it answers.

    Raises:
        LakeError: It did not start; the message says why.
    """
    import sys

    settings.logs_dir.mkdir(parents=True, exist_ok=True)
    output = settings.logs_dir / "dashboard.log"
    child = run_tied(
        [sys.executable, "-m", "dashboards.app"],
        folder=PROJECT_ROOT,
        output=output,
        environment=settings.environment(),
    )
    try:
        _await_health(address(settings), child.supervisor, output)
        yield address(settings)
    finally:
        child.close()


def _await_health(url: str, child: Any, output: Path) -> None:
    import time

    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if child.poll() is not None:
            said = output.read_text(encoding="utf-8", errors="replace").strip().splitlines()
            raise LakeError(said[-1] if said else f"The dashboard did not start; see {output}.")
        try:
            with DIRECT.open(f"{url}healthz", timeout=5):
                return
        except OSError:
            time.sleep(0.2)
    raise LakeError(f"The dashboard did not answer within a minute; {output} says why.")

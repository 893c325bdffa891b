"""`lake demo`: everything, from the sources to the screens."""

import contextlib
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lakehouse.settings import Settings
from lakehouse.shop_format import counted
from operations.cli import app
from operations.cli.produce import DatesIn, Encoding

if TYPE_CHECKING:
    from operations.demo.demo import DemoOptions


@app.command("demo")
def demo(  # noqa: PLR0917 - one parameter per option
    once: Annotated[bool, typer.Option("--once", help="Stop after the summary.")] = False,
    fresh: Annotated[bool, typer.Option("--fresh", help="Wipe the state first.")] = False,
    quick: Annotated[bool, typer.Option("--quick", help="Only the first two months.")] = False,
    file: Annotated[
        Path | None, typer.Option(help="Another shop's ERP extract: csv, csv.gz or parquet.")
    ] = None,
    sources: Annotated[
        str | None, typer.Option(help="Which sources, such as erp; default: all.")
    ] = None,
    encoding: Encoding = "utf-8",
    date_order: DatesIn = None,
) -> None:
    """Broker, real history, bronze, silver, gold, audit, screens: one command."""
    from lakehouse.locks import hold
    from lakehouse.settings import address
    from lakehouse.state import wipe
    from operations.cli.display import show_summary, stage_display
    from operations.context import Context
    from operations.demo.demo import SOURCES, DemoOptions, check_source, run_once, screens
    from operations.run import reported
    from storefront.erp.extract import Reading

    settings = Settings()
    reading = Reading(encoding, date_order)
    chosen = SOURCES if sources is None else tuple(filter(None, sources.split(",")))
    options = DemoOptions(file, reading, quick, chosen)
    check_source(options)
    if fresh:
        from streaming import broker

        with hold("run", settings=settings):
            broker.stop(settings)
            wipe(settings)
    require_dashboard_port(settings)
    with contextlib.ExitStack() as kept:
        with stage_display() as on_change:
            progress = on_change.progress  # type: ignore[attr-defined]
            bar = progress.add_task("sending", total=None, visible=False)

            def advance(line: dict[str, Any]) -> None:
                progress.update(
                    bar,
                    visible=line["total"] is None or line["done"] < line["total"],
                    description=f"sending {line['what']}: {counted(line['done'])} records",
                )

            def work(context: Context) -> None:
                try:
                    run_once(
                        context,
                        options,
                        kept=kept,
                        on_progress=advance,
                        on_warning=lambda warning: progress.console.print(
                            f"! {warning}", highlight=False, markup=False, soft_wrap=True
                        ),
                    )
                finally:
                    progress.update(bar, visible=False)
                with context.log.stage("screens") as stage:
                    stage.note = kept.enter_context(screens(settings))

            def then(_context: Context, report: dict[str, Any]) -> None:
                progress.stop()
                show_summary(report)

            reported(work, settings=settings, command="lake demo", on_change=on_change, then=then)
        if not once:
            print(
                f"Screens: {address(settings)}  The shop stays open; Ctrl-C closes it.",
                flush=True,
            )
            # part: simulator
            if "web" in options.sources:
                _go_live(settings, options)
            # end part
            threading.Event().wait()
    print(f"The screens show it again with ./lake dashboard at {address(settings)}")


# part: simulator
def _go_live(settings: Settings, options: "DemoOptions") -> None:
    """Open the shop live on what the demo has brought: its broker and its screens stay."""
    from lakehouse.spark import end_java
    from operations.live.supervisor import LiveOptions, LiveShop

    end_java()
    live = LiveOptions(
        file=options.file,
        encoding=options.reading.encoding,
        date_order=options.reading.date_order,
        screens=False,
    )
    LiveShop(settings, live, say=lambda text: print(text, flush=True)).run()


# end part
def require_dashboard_port(settings: Settings) -> None:
    """Raises: LakeError when another program listens where the screens shall."""
    from lakehouse.errors import LakeError
    from lakehouse.processes.programs import describe_listener, is_free

    if not is_free(settings.dashboard_port):
        raise LakeError(
            f"Port {settings.dashboard_port} of the dashboard is taken "
            f"({describe_listener(settings.dashboard_port)}). Stop that program, or choose another "
            "port with LAKE_DASHBOARD_PORT."
        )

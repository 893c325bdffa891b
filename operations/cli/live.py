"""`lake live`: the shop open now, from its events to the tiles that tick."""

from pathlib import Path
from typing import Annotated

import typer

from lakehouse.settings import Settings
from operations.cli import app
from operations.cli.produce import DatesIn, Encoding, seconds_of


@app.command("live")
def live(  # noqa: PLR0917 - one parameter per option
    rate: Annotated[float, typer.Option(min=0.01, max=10_000, help="Messages a second.")] = 10.0,
    duration: Annotated[
        str | None, typer.Option("--for", help="Such as 90s, 10m or 2h; default: until Ctrl-C.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Another seed is another shop.")] = None,
    publish_every: Annotated[str, typer.Option(help="Pause between publishes.")] = "10m",
    file: Annotated[
        Path | None, typer.Option(help="ERP extract that names products and customers.")
    ] = None,
    encoding: Encoding = "utf-8",
    date_order: DatesIn = None,
) -> None:
    """Open the shop: its events, all streams, live figures, a publish now and then, the screens.

    Example: lake live --rate 50 --for 10m
    """
    from lakehouse.processes.ending import end_in_order
    from operations.cli.demo import require_dashboard_port
    from operations.live.supervisor import LiveOptions, LiveShop

    settings = Settings()
    options = LiveOptions(
        rate=rate,
        seconds=None if duration is None else seconds_of(duration, option="--for"),
        seed=seed,
        file=file,
        encoding=encoding,
        date_order=date_order,
        publish_every=seconds_of(publish_every, option="--publish-every"),
    )
    require_dashboard_port(settings)
    end_in_order()
    LiveShop(settings, options, say=lambda text: print(text, flush=True)).run()

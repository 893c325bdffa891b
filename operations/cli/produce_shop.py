"""`lake produce shop` and `lake produce live`: the simulated web shop into the local Kafka."""

from pathlib import Path
from typing import Annotated

import typer

from lakehouse.settings import Settings
from operations.cli.produce import DatesIn, Encoding, produce_app, seconds_of, tell

Catalog = Annotated[
    Path | None, typer.Option(help="ERP extract that names products and customers.")
]
Seed = Annotated[int, typer.Option(help="Another seed is another shop.")]


@produce_app.command("shop")
def produce_shop(
    days: Annotated[
        int, typer.Option(min=1, max=3650, help="How many more days the shop is open.")
    ] = 1,
    file: Catalog = None,
    encoding: Encoding = "utf-8",
    date_order: DatesIn = None,
    seed: Seed = 20_111_210,
) -> None:
    """Send more days of the simulated web shop; its clock goes on after the history."""
    from storefront.erp.extract import Reading
    from streaming.broker import require_running
    from streaming.web_shop import send_shop_days, shop_days_sent

    settings = Settings()
    require_running(settings)
    total = shop_days_sent(settings, seed=seed) + days
    reading = Reading(encoding, date_order)
    sent = send_shop_days(total, settings=settings, catalog_file=file, reading=reading, seed=seed)
    tell(sent)


@produce_app.command("live")
def produce_live(  # noqa: PLR0917 - one parameter per option
    rate: Annotated[float, typer.Option(min=0.01, max=100_000, help="Messages a second.")] = 10.0,
    duration: Annotated[
        str | None, typer.Option("--for", help="Such as 90s, 10m or 2h; default: until Ctrl-C.")
    ] = None,
    file: Catalog = None,
    encoding: Encoding = "utf-8",
    date_order: DatesIn = None,
    seed: Seed = 20_111_210,
) -> None:
    """Open the simulated web shop: what happens in it is sent as it happens, by the shop's clock.

    Example: lake produce live --rate 50 --for 10m
    """
    from lakehouse.processes.ending import end_in_order
    from operations.cli.display import counting
    from storefront.erp.extract import Reading
    from streaming.broker import require_running
    from streaming.rate_limit import Pace
    from streaming.web_shop import TICK_SECONDS, send_live

    settings = Settings()
    seconds = None if duration is None else seconds_of(duration, option="--for")
    require_running(settings)
    end_in_order()
    with counting("Sending live events") as (_, advance):
        pace = Pace(rate, seconds, on_batch=advance, tick_seconds=TICK_SECONDS, makes_up=True)
        reading = Reading(encoding, date_order)
        sent = send_live(pace, settings=settings, catalog_file=file, reading=reading, seed=seed)
    tell(sent)

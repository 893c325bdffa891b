"""`lake broker` and `lake produce`: the local Kafka, and events into it."""

import re
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lakehouse.contracts.topics import DateOrder
from lakehouse.errors import LakeError
from lakehouse.settings import Settings
from lakehouse.shop_format import counted
from operations.cli import app

if TYPE_CHECKING:
    from streaming.producer import Sent

broker_app = typer.Typer(no_args_is_help=True, help="The local Kafka broker.")
produce_app = typer.Typer(no_args_is_help=True, help="Send events to Kafka.")
app.add_typer(broker_app, name="broker")
app.add_typer(produce_app, name="produce")

DAY = ["%Y-%m-%d"]
SHOWN_REASONS = 5

Encoding = Annotated[str, typer.Option(help="Encoding of a csv, such as cp1252.")]
DatesIn = Annotated[
    DateOrder | None,
    typer.Option(
        "--date-order", help="Order of dates with slashes, where the file leaves it open."
    ),
]


@broker_app.command("start")
def start_broker() -> None:
    """Start the broker; it outlives this shell."""
    from lakehouse.jars.fetch import ensure_jars
    from lakehouse.state import prepare
    from streaming import broker

    settings = Settings()
    prepare(settings)
    ensure_jars(settings)
    print(broker.start(settings, detached=True).note)


@broker_app.command("stop")
def stop_broker() -> None:
    """Stop the broker of this state folder."""
    from streaming import broker

    pid = broker.stop(Settings())
    print(f"Stopped the broker (pid {pid})." if pid else "No broker was running.")


@broker_app.command("status")
def broker_status() -> None:
    """Whether the broker answers, and which topics it holds."""
    from streaming import broker

    found = broker.status(Settings())
    if not found.running:
        print(f"No broker answers at {found.bootstrap}. Start it with `lake broker start`.")
        raise typer.Exit(2)
    print(f"Kafka {found.version or ''} at {found.bootstrap}, pid {found.pid}")
    for name, partitions in sorted(found.topics.items()):
        print(f"  {name}  {partitions} partitions")


@produce_app.command("history")
def produce_history(  # noqa: PLR0917 - one parameter per option
    file: Annotated[
        Path | None, typer.Option(help="ERP extract: csv, csv.gz or parquet; default: embedded.")
    ] = None,
    date_from: Annotated[
        datetime | None, typer.Option("--from", formats=DAY, help="First day.")
    ] = None,
    date_until: Annotated[
        datetime | None, typer.Option("--until", formats=DAY, help="Last day.")
    ] = None,
    encoding: Encoding = "utf-8",
    date_order: DatesIn = None,
    resend: Annotated[bool, typer.Option(help="Send again what was acknowledged before.")] = False,
) -> None:
    """Replay an ERP extract, or a range of its days, into Kafka."""
    from operations.cli.display import counting
    from storefront.erp.extract import Reading
    from streaming.broker import require_running
    from streaming.sources import History, send_history

    settings = Settings()
    require_running(settings)
    history = History(
        file=file,
        reading=Reading(encoding, date_order),
        date_from=date_from.date() if date_from else None,
        date_until=date_until.date() if date_until else None,
        resend=resend,
    )
    with counting("Sending the history") as (set_total, advance):
        sent = send_history(history, settings=settings, on_total=set_total, on_progress=advance)
    tell(sent)


def seconds_of(text: str, *, option: str) -> float:
    """Seconds of a span such as `90`, `90s`, `10m` or `2h`.

    Raises:
        LakeError: It is none.
    """
    found = re.fullmatch(r"([0-9]+(?:[.][0-9]+)?)([smh]?)", text.strip())
    if found is None or float(found[1]) == 0:
        raise LakeError(f"{option} {text} is no span of time: give it as 90s, 10m or 2h.")
    return float(found[1]) * {"": 1, "s": 1, "m": 60, "h": 3600}[found[2]]


def tell(sent: "Sent") -> None:
    """Print what was sent, known from before, and refused."""
    if sent.warning:
        print(f"! {sent.warning}")
    if not sent.records:
        print(f"Nothing was new: all {counted(sent.skipped)} records were acknowledged before.")
        return
    known = f" {counted(sent.skipped)} were acknowledged before." if sent.skipped else ""
    print(f"Sent {counted(sent.records)} records, all acknowledged.{known}")
    if sent.refused:
        print(
            f"Of these, {counted(sent.refused)} broke their contract and went to the dead letters: "
            f"{refusals_text(sent.reasons)}. Fix the source and send them again."
        )


def refusals_text(reasons: Mapping[str, int]) -> str:
    """Reasons of refusals with their counts, the most frequent first."""
    ordered = sorted(reasons.items(), key=lambda each: (-each[1], each[0]))
    shown = [f"{counted(number)} {reason}" for reason, number in ordered[:SHOWN_REASONS]]
    if len(ordered) > SHOWN_REASONS:
        shown.append(
            f"{counted(sum(number for _, number in ordered[SHOWN_REASONS:]))} for other reasons"
        )
    return ", ".join(shown)

"""`lake report`: the reports by mail, and their outbox."""

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lakehouse.errors import LakeError
from lakehouse.settings import Settings
from operations.cli import app

if TYPE_CHECKING:
    from reports.outbox import Entry
    from reports.periods import Report

report = typer.Typer(help="Reports by mail, and what became of them.", no_args_is_help=True)
app.add_typer(report, name="report")

Day = Annotated[str | None, typer.Option("--date", help="YYYY-MM-DD; else the last that is over.")]
To = Annotated[str | None, typer.Option("--to", help="Only to this address, listed or not.")]
Preview = Annotated[
    Path | None,
    typer.Option("--preview", help="Write FILE.html, .txt, .pdf, .xlsx or .eml; send nothing."),
]


@report.command("daily")
def daily(day: Day = None, to: To = None, preview: Preview = None) -> None:
    """The report of a day. Example: lake report daily --date 2011-12-09 --preview day.html"""
    _send("daily", day, to, preview)


@report.command("weekly")
def weekly(day: Day = None, to: To = None, preview: Preview = None) -> None:
    """The report of the week that holds the day. Example: lake report weekly --date 2011-12-09"""
    _send("weekly", day, to, preview)


@report.command("outbox")
def outbox(
    limit: Annotated[int, typer.Option(min=1, help="The newest so many.")] = 50,
) -> None:
    """Every mail: report, period, reader, state, attempts, the server's last word."""
    from reports.outbox import open_outbox

    with open_outbox(Settings()) as found:
        _show(found.entries(most=limit))


@report.command("release")
def release(
    name: Annotated[str, typer.Argument(help="daily or weekly, as the outbox shows it.")],
    period: Annotated[str, typer.Argument(help="Such as 2011-12-09 or 2011-W49.")],
    to: Annotated[str, typer.Argument(help="The reader's address.")],
) -> None:
    """Send a mail again that was refused, given up or of unknown fate: the same, as it was.

    Example: lake report release daily 2011-12-09 jo@shop.example
    """
    from reports.addresses import parse_address
    from reports.delivery import deliver, require_sent, require_server
    from reports.outbox import Key, open_outbox

    settings = Settings()
    server = require_server(settings)
    key = Key(name, period, parse_address(to).spec)
    with open_outbox(settings) as found:
        if not found.release(key):
            raise LakeError(
                f"The outbox has no {name} mail of {period} to {key.recipient} that was refused, "
                "given up or of unknown fate. `lake report outbox` shows what it has."
            )
    entries = [each for each in deliver(settings, server=server, reports=[name]) if each.key == key]
    _show(entries)
    require_sent(entries)


def _send(name: "Report", day: str | None, to: str | None, preview: Path | None) -> None:
    from operations.mail_reports import audit_now
    from reports import sending
    from reports.delivery import require_sent

    settings, chosen = Settings(), _day(day)
    if preview is not None:
        sending.preview(settings, name, preview, audit=lambda: audit_now(settings), day=chosen)
        print(f"{preview} shows the {name} report. Nothing was sent.")
        return
    found = sending.send_report(
        settings, name, audit=lambda: audit_now(settings), day=chosen, to=to
    )
    _show(found)
    require_sent(found)


def _day(text: str | None) -> date | None:
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise LakeError(f"--date {text} is no day. Write one such as 2011-12-09.") from None


def _show(entries: "list[Entry]") -> None:
    if not entries:
        print("No mail.")
    for each in entries:
        detail = f"  ({each.detail})" if each.detail else ""
        key = each.key
        print(
            f"{key.report:<7} {key.period:<10} {key.recipient}  {each.state}, "
            f"{each.attempts} attempt{'s' * (each.attempts != 1)}{detail}"
        )

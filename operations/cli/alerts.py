"""`lake alerts`: judge the rules, see what is open, acknowledge it, try the rules on the past."""

import json
from typing import Annotated

import typer

from lakehouse.errors import LakeError
from lakehouse.settings import Settings
from operations.cli import app

alerts = typer.Typer(help="Alerts of KPIs and of the platform.", no_args_is_help=True)
app.add_typer(alerts, name="alerts")


@alerts.command("check")
def check_alerts() -> None:
    """Judge every rule once, remember what changed, and send what is due.

    It exits with 0 whether or not something is wrong: whoever must know is told.
    """
    from operations.alerts import check_settings

    settings = Settings()
    found = check_settings(settings)
    for each in found.changes:
        print(f"{each.kind:<10} #{each.incident} {each.severity:<8} {each.rule}: {each.summary}")
    for mail in found.mails:
        print(f"mail to {mail.key.recipient}: {mail.state} {mail.detail}")
    sent = found.sent
    print(
        f"{len(found.changes)} changes, {found.open} open; {sent.taken} messages sent, "
        f"{sent.later} to be tried again, {sent.given_up} given up."
    )


@alerts.command("list")
def list_alerts(
    everything: Annotated[bool, typer.Option("--all", help="Resolved ones too.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Open and acknowledged alerts, newest first."""
    from rich.console import Console
    from rich.table import Table

    from reports.alerts.store import open_store

    with open_store(Settings()) as store:
        found = store.incidents()
    shown = [each for each in found if everything or each.state != "resolved"]
    if as_json:
        print(json.dumps([vars(each) for each in shown], indent=1, default=str))
        return
    if not shown:
        print("No alert is open." if not everything else "There has been no alert yet.")
        return
    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in ("#", "state", "severity", "since (UTC)", "rule", "what"):
        table.add_column(column, overflow="fold")
    for each in shown:
        since = f"{each.fired_at:%Y-%m-%d %H:%M}"
        table.add_row(str(each.id), each.state, each.severity, since, each.rule, each.summary)
    Console(markup=False).print(table)


@alerts.command("ack")
def acknowledge_alert(
    number: Annotated[int, typer.Argument(help="Number of the alert, by `lake alerts list`.")],
    by: Annotated[str, typer.Option("--by", help="Who takes care of it.")] = "operator",
    note: Annotated[str, typer.Option("--note", help="What is known or done.")] = "",
) -> None:
    """Say that somebody takes care of an alert: it is not escalated any more."""
    from reports.alerts.actions import acknowledge

    incident = acknowledge(Settings(), number, by=by, note=note)
    print(f"Alert {incident.id} ({incident.rule}) is acknowledged by {incident.acknowledged_by}.")


@alerts.command("replay")
def replay_alerts(
    outage: Annotated[str, typer.Option("--outage", help="Plant a fault: DAY or FIRST/LAST.")] = "",
    left: Annotated[
        float, typer.Option("--left", min=0, max=1, help="Part of each figure left in it.")
    ] = 0.2,
) -> None:
    """Judge all days of gold one after the other, and count how often each rule fires.

    Nothing is sent or kept. Example: lake alerts replay --outage 2011-10-05 --left 0.1
    """
    from rich.console import Console
    from rich.table import Table

    from reports.alerts.replay import replay, with_outage
    from reports.alerts.rules import days_of
    from reports.alerts.watch import gold_history, rules_of

    settings = Settings()
    book = rules_of(settings)
    history = gold_history(settings, book)
    if outage:
        try:
            hit = days_of(outage)
        except ValueError as error:
            raise LakeError(f"--outage is {outage!r}, and must be like 2011-10-05.") from error
        history = with_outage(history, hit, left=left)
    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in ("rule", "days", "fired", "in 30 days", "resolved", "when"):
        table.add_column(column, justify="left" if column in ("rule", "when") else "right")
    for each in replay(history, book):
        when = "\n".join(text for _, text in each.fired)
        table.add_row(
            each.rule,
            str(each.days),
            str(len(each.fired)),
            f"{each.per_thirty_days:.2f}",
            str(len(each.resolved)),
            when,
        )
    Console(markup=False).print(table)

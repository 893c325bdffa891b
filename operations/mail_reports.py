"""The jobs `report_daily` and `report_weekly`: the audit of what is in service, then the mails.

In: the context of a run. Out: mails sent, and a stage that says how many. Without a mail server or
recipients a job says so and leaves out its work.
"""

from lakehouse.errors import LakeError
from lakehouse.settings import Settings
from operations.context import Context
from reports.health import Audited, Equation
from reports.periods import Report


def report_daily(context: Context) -> None:
    """Mail the report of the last day that is over, to whoever has not got it."""
    _report(context, "daily")


def report_weekly(context: Context) -> None:
    """Mail the report of the last week that is over, to whoever has not got it."""
    _report(context, "weekly")


def _report(context: Context, report: Report) -> None:
    from reports.delivery import require_sent, require_server
    from reports.periods import NothingToReport
    from reports.recipients import read_mailing
    from reports.sending import send_report

    settings = context.settings
    with context.log.stage(f"report_{report}") as stage:
        mailing = read_mailing(settings)
        try:
            require_server(settings)
        except LakeError:
            stage.status, stage.note = "skipped", "no mail server is set"
            return
        if not mailing.of(report):
            stage.status, stage.note = "skipped", "nobody is on its list"
            return
        try:
            found = send_report(settings, report, audit=lambda: audit_now(settings))
        except NothingToReport as error:
            stage.status, stage.note = "skipped", str(error)
            return
        stage.rows_out = sum(each.state == "sent" for each in found)
        stage.note = "mails have arrived"
        require_sent(found)


def audit_now(settings: Settings) -> Audited:
    """The audit of what is in service, as it is now, and the records in quarantine."""
    from operations.audit import audit_service
    from operations.report import quarantine_by_reason

    return Audited(
        tuple(
            Equation(row["equation"], row["verdict"] == "holds", row["difference"])
            for row in (each.row() for each in audit_service(settings, full=False))
        ),
        sum(each["records"] for each in quarantine_by_reason(settings)),
    )

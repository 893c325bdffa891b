"""A report from gold into the outbox and to its readers: once, whole, or not at all.

In: which report, and an audit of what is in service. Out: the outbox's rows of its mails. All mails
of one call read one gold version, and are made before the first is put in line. Where the gate or
the audit is red, or a mail can't be made, the owners get a short notice instead.
Run standalone: `lake report daily`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from lakehouse.duck import open_gold
from lakehouse.errors import CheckFailed, LakeError
from lakehouse.pointer import Version, in_service
from lakehouse.settings import Settings, address
from reports import compose, corrections, delivery, wording
from reports.addresses import Address, parse_address
from reports.charts import charts
from reports.compose import Parts
from reports.corrections import Correction, facts_of
from reports.figures import Figures, read_figures
from reports.forecast import Forecast, read_forecast
from reports.health import Audited, Health, judge
from reports.html import with_images_inside
from reports.outbox import Entry, Key, open_outbox
from reports.periods import Period, Report, choose, read_calendar, shop_today
from reports.recipients import Mailing, Recipient, read_mailing
from reports.speech import Speech

Audit = Callable[[], Audited]
_TRIES = 3


@dataclass(frozen=True)
class Reading:
    """What one gold version says of a period, and how sound it is."""

    version: Version
    figures: Figures
    forecast: Forecast | None
    health: Health
    corrections: dict[str, list[Correction]]


def send_report(
    settings: Settings,
    report: Report,
    *,
    audit: Audit,
    day: date | None = None,
    to: str | None = None,
) -> list[Entry]:
    """Send a report to those who have not got it yet.

    Args:
        settings: Whose gold, outbox and mail server.
        report: daily or weekly.
        audit: Audits what is in service; called when a mail may go out.
        day: The day, or one of the week; the last that is over by default.
        to: Only this address, on the list or not; else everyone on the list of the report.

    Returns: the rows of the period's mails, whatever their state, and of others that were due.

    Raises:
        CheckFailed: The gate or the audit is red: nothing was sent but the notice.
        LakeError: No server, no recipients, or nothing to report; or a mail can't be made.
    """
    server = delivery.require_server(settings)
    mailing = read_mailing(settings)
    recipients = _recipients(mailing, report, to)
    sender = parse_address(settings.alert_from)
    period = _chosen(settings, report, day)
    period_key, notice = period.key, _notice(report)
    keys = [Key(report, period_key, each.address.spec) for each in recipients]
    with open_outbox(settings) as outbox:
        known = {each: outbox.entry(each) for each in keys}
        waits = bool(outbox.entries("waiting", report=report))
    if waits or None in known.values():
        new = [each for each, key in zip(recipients, keys, strict=True) if known[key] is None]
        try:
            reading = read(settings, report, audit=audit, day=period.start, readers=new)
            if reading.health.is_red:
                raise CheckFailed(
                    f"The {report} report of {period_key} is not sent while the data are in doubt: "
                    f"{'; '.join(reading.health.red)}. `lake status` and `lake audit` say more."
                )
            _queue(reading, new, mailing, sender=sender, settings=settings)
        except Exception as error:
            _tell_owners(report, period_key, error, mailing, sender=sender, settings=settings)
            delivery.deliver(settings, server=server, reports=[notice])
            raise
    tried = delivery.deliver(settings, server=server, reports=[report])
    with open_outbox(settings) as outbox:
        outbox.withdraw(notice, "no longer true: the report went out")
        own = [found for each in keys if (found := outbox.entry(each)) is not None]
    return [*own, *(each for each in tried if each.key not in keys)]


def read(
    settings: Settings,
    report: Report,
    *,
    audit: Audit,
    day: date | None = None,
    readers: Sequence[Recipient] = (),
) -> Reading:
    """Figures and health of one gold version; made again where a publish came in between.

    Raises:
        LakeError: Nothing to report, or gold changed each time.
    """
    for _ in range(_TRIES):
        version = in_service(settings)
        with open_gold(version.path) as gold:
            calendar = read_calendar(gold)
            period = choose(report, calendar, day=day, today=shop_today())
            figures = read_figures(gold, period, calendar)
            forecast = read_forecast(settings, period)
            corrected = _corrections(gold, settings, report, period.key, readers)
        health = judge(version, audit(), settings=settings)
        if in_service(settings).change_id == version.change_id:
            return Reading(version, figures, forecast, health, corrected)
    raise LakeError("New gold came into service each time the report was made. Run it again.")


def preview(
    settings: Settings, report: Report, file: Path, *, audit: Audit, day: date | None
) -> None:
    """Write the report as its first reader would get it; nothing is sent or remembered.

    `file` ends in .html (with its pictures inside), .txt, .xlsx, .pdf or .eml.

    Raises:
        LakeError: Another ending, or nothing to report.
    """
    mailing = read_mailing(settings)
    sender = parse_address(settings.alert_from)
    reader = next(iter(mailing.of(report)), Recipient(sender))
    makers: dict[str, Callable[[Parts, Key], bytes]] = {
        ".html": lambda parts, _: with_images_inside(parts.html, parts.placed).encode(),
        ".txt": lambda parts, _: parts.text.encode(),
        ".xlsx": lambda parts, _: parts.xlsx,
        ".pdf": lambda parts, _: parts.pdf,
        ".eml": lambda parts, key: compose.report_mail(
            parts,
            key,
            sender=sender,
            recipient=reader.address,
            unsubscribe=mailing.unsubscribe_link(report, reader.address, sender=sender),
            version="preview",
        ).as_bytes(),
    }
    if file.suffix not in makers:
        raise LakeError(f"--preview writes {', '.join(makers)}: name the file so.")
    reading = read(settings, report, audit=audit, day=day, readers=[reader])
    parts = _parts(reading, reader, mailing, sender=sender, settings=settings)
    key = Key(report, reading.figures.period.key, reader.address.spec)
    content = makers[file.suffix](parts, key)
    try:
        file.write_bytes(content)
    except OSError as error:
        raise LakeError(f"{file} can't be written ({error.strerror}).") from error


def _recipients(mailing: Mailing, report: Report, to: str | None) -> list[Recipient]:
    if to is not None:
        wanted = parse_address(to)
        known = [each for each in mailing.recipients if each.address.spec == wanted.spec]
        return known or [Recipient(wanted)]
    found = list(mailing.of(report))
    if not found:
        raise LakeError(
            f"Nobody is on the list of the {report} report. Write recipients.toml "
            "(docs/reports.md says how), or name one with --to."
        )
    return found


def _chosen(settings: Settings, report: Report, day: date | None) -> Period:
    """The period of the mails; a publish that comes later does not move it."""
    with open_gold(in_service(settings).path) as gold:
        return choose(report, read_calendar(gold), day=day, today=shop_today())


def _corrections(
    gold: object, settings: Settings, report: str, but: str, readers: Sequence[Recipient]
) -> dict[str, list[Correction]]:
    """What each reader was told of earlier periods and is not so any more, by address."""
    restated = corrections.restated_days(settings)
    found = {}
    with open_outbox(settings) as outbox:
        arrived = outbox.entries("sent", "unknown", report=report)
    for each in readers:
        own = [entry for entry in arrived if entry.key.recipient == each.address.spec]
        found[each.address.spec] = corrections.corrections(gold, own, restated, but=but)  # type: ignore[arg-type]
    return found


def _queue(
    reading: Reading,
    readers: Sequence[Recipient],
    mailing: Mailing,
    *,
    sender: Address,
    settings: Settings,
) -> None:
    """Make all mails, then put them in line."""
    period = reading.figures.period
    made = []
    for each in readers:
        key = Key(period.report, period.key, each.address.spec)
        link = mailing.unsubscribe_link(period.report, each.address, sender=sender)
        parts = _parts(reading, each, mailing, sender=sender, settings=settings)
        mail = compose.report_mail(
            parts,
            key,
            sender=sender,
            recipient=each.address,
            unsubscribe=link,
            version=reading.version.change_id,
        )
        facts = facts_of(reading.figures, reading.corrections.get(each.address.spec, []))
        made.append((key, mail, facts))
    with open_outbox(settings) as outbox:
        for key, mail, facts in made:
            outbox.queue(key, mail, gold_run=reading.version.change_id, facts=facts)


def _parts(
    reading: Reading,
    reader: Recipient,
    mailing: Mailing,
    *,
    sender: Address,
    settings: Settings,
) -> Parts:
    speech = Speech(reader.language, reader.time_zone)
    told = wording.tell(
        reading.figures,
        reading.health,
        reading.corrections.get(reader.address.spec, []),
        reading.forecast,
        speech=speech,
        run_id=reading.version.run_id,
        published_at=reading.version.published_at,
    )
    base = (settings.dashboard_url or address(settings)).rstrip("/")
    report = reading.figures.period.report
    return compose.make_parts(
        reading.figures,
        told,
        charts(reading.figures, speech),
        links=[
            (told.words["link_overview"], f"{base}/"),
            (told.words["link_health"], f"{base}/data-health"),
        ],
        unsubscribe=mailing.unsubscribe_link(report, reader.address, sender=sender),
    )


def _notice(report: Report) -> str:
    """What the outbox calls the notice to the owners that a report is held back."""
    return f"{report} held"


def _tell_owners(
    report: Report,
    period: str,
    error: Exception,
    mailing: Mailing,
    *,
    sender: Address,
    settings: Settings,
) -> None:
    """Put one notice per period in line: what was not sent, and why."""
    lines = [
        f"The {report} report of {period} has not been sent to its readers.",
        f"Why: {error}" if isinstance(error, LakeError) else f"Why: {type(error).__name__}.",
        "The next run sends it once that has been fixed. See `lake status` and `lake audit`.",
    ]
    with open_outbox(settings) as outbox:
        for owner in mailing.owners:
            own = Key(_notice(report), period, owner.spec)
            subject = f"Cartlake: {report} report of {period} held back"
            mail = compose.notice_mail(own, subject, lines, sender=sender, recipient=owner)
            outbox.queue(own, mail)

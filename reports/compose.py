"""A finished mail: headers, text part, HTML with its images, workbook and PDF.

In: what the report says to one reader. Out: its bytes, of ASCII lines only, checked whole: a mail
that lacks a part or a picture is never made.
"""

import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP

from lakehouse.errors import LakeError
from reports import html, paper, plain_text, workbook
from reports.addresses import Address
from reports.charts import Chart
from reports.figures import Figures
from reports.html import Placed
from reports.outbox import Key, message_id
from reports.wording import Told

_POLICY = SMTP.clone(cte_type="7bit", max_line_length=900)
"""Long lines in headers: a folded link in List-Unsubscribe is not read by every client."""
_PNG = b"\x89PNG\r\n\x1a\n"
_XLSX = "vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@dataclass(frozen=True)
class Parts:
    """A report's forms in one language, from which mails are made."""

    told: Told
    html: str
    text: str
    placed: tuple[Placed, ...]
    xlsx: bytes
    pdf: bytes


def make_parts(
    figures: Figures,
    told: Told,
    charts: Sequence[Chart],
    *,
    links: Sequence[tuple[str, str]],
    unsubscribe: str,
) -> Parts:
    """Every form of the report.

    Raises:
        LakeError: A part is not whole.
    """
    placed = tuple(
        Placed(each, f"{each.name}.light@cartlake", f"{each.name}.dark@cartlake") for each in charts
    )
    found = Parts(
        told,
        html.page(told, placed, links=links, unsubscribe=unsubscribe),
        plain_text.text(told, charts, links=links, unsubscribe=unsubscribe),
        placed,
        workbook.workbook(figures, told),
        paper.pdf(told, charts),
    )
    _require_whole(found)
    return found


def report_mail(
    parts: Parts, key: Key, *, sender: Address, recipient: Address, unsubscribe: str, version: str
) -> EmailMessage:
    """The mail of a report to one reader."""
    mail = _headed(key, parts.told.subject, sender=sender, recipient=recipient, version=version)
    mail["List-Unsubscribe"] = f"<{unsubscribe}>"
    mail.set_content(parts.text)
    mail.add_alternative(parts.html, subtype="html")
    page = mail.get_body(("html",))
    assert isinstance(page, EmailMessage)  # noqa: S101 - it was just added
    for each in parts.placed:
        for cid, image in ((each.light_id, each.chart.light), (each.dark_id, each.chart.dark)):
            name = f"{cid.partition('@')[0].replace('.', '-')}.png"
            page.add_related(
                image, "image", "png", cid=f"<{cid}>", filename=name, disposition="inline"
            )
    name = f"{key.report}-{key.period}"
    mail.add_attachment(parts.xlsx, "application", _XLSX, filename=f"{name}.xlsx")
    mail.add_attachment(parts.pdf, "application", "pdf", filename=f"{name}.pdf")
    return mail


def notice_mail(
    key: Key, subject: str, lines: Sequence[str], *, sender: Address, recipient: Address
) -> EmailMessage:
    """A short mail of text to an owner."""
    mail = _headed(key, subject, sender=sender, recipient=recipient, version="")
    mail.set_content("\n\n".join(lines) + "\n")
    return mail


def _headed(
    key: Key, subject: str, *, sender: Address, recipient: Address, version: str
) -> EmailMessage:
    mail = EmailMessage(policy=_POLICY)
    mail["From"] = sender.header()
    mail["To"] = recipient.header()
    mail["Subject"] = subject
    mail["Date"] = datetime.now(UTC)
    mail["Message-ID"] = message_id(key, domain=sender.domain, version=version)
    mail["Auto-Submitted"] = "auto-generated"
    return mail


def _require_whole(parts: Parts) -> None:
    faults = [
        f"the picture {each.chart.name} is empty"
        for each in parts.placed
        for image in (each.chart.light, each.chart.dark)
        if not image.startswith(_PNG) or len(image) < 1000
    ]
    if not (parts.told.sentence and parts.told.rows):
        faults.append("it has no figures")
    if parts.html.count("cid:") != 2 * len(parts.placed):
        faults.append("its pictures and its page differ")
    if not parts.pdf.startswith(b"%PDF-"):
        faults.append("its PDF is no PDF")
    if not zipfile.is_zipfile(io.BytesIO(parts.xlsx)):
        faults.append("its workbook is none")
    if faults:
        raise LakeError(f"The report is not whole and is not sent: {', '.join(faults)}.")

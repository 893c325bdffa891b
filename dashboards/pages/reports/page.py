"""Reports: which mails went out, what became of each, and the mails themselves.

In: the outbox. Out: the page, filled by one callback. Run standalone: `python -m dashboards.app`,
then open /reports.
"""

from collections.abc import Sequence
from typing import Any

from dash import html

from dashboards import components, formats, one_part
from dashboards.components import Column, Tone
from dashboards.published import PublishedGold
from dashboards.registry import Page
from reports import archive
from reports.archive import Sent

PAGE = Page("/reports", "Reports", group="Decisions", icon="mail")
MAIL = "/mail/"
"""Where the screens' server shows a mail, by the name of its file."""

_TONES: dict[str, Tone] = {
    "sent": "good",
    "waiting": "warn",
    "sending": "plain",
    "ending": "plain",
    "unknown": "bad",
    "refused": "bad",
    "expired": "bad",
}
_MEANINGS = {
    "waiting": "not taken yet; the next run tries again",
    "unknown": "may have arrived; lake report release sends it once more",
    "refused": "will not arrive as it is",
    "expired": "given up",
}


def layout() -> Any:
    """The page without content; a callback fills it."""
    return one_part.layout(
        PAGE.title, "What was sent to whom, of which figures, and did it arrive?", "reports-body"
    )


def register(app: Any, gold: PublishedGold) -> None:
    """Connect the page to the outbox."""
    one_part.register(app, "reports-body", lambda: body(archive.rows(gold.settings)))


def body(sent: Sequence[Sent]) -> Any:
    """The archive, the newest first, or the reason why there is none."""
    if not sent:
        return components.empty_state(
            "No report yet",
            why="No mail has been put in line. This command sends the report of the last day that "
            "is over; with `lake mail start` it goes to an inbox of this machine.",
            command="./lake report daily",
        )
    columns = [
        Column("Report"),
        Column("Period"),
        Column("Reader"),
        Column("State"),
        Column("Attempts", is_number=True),
        Column("When"),
        Column("Last word", is_wide=True),
        Column("Mail"),
    ]
    open_cases = sum(each.state not in ("sent", "waiting") for each in sent)
    return components.card(
        "Archive",
        components.table(columns, [_row(each) for each in sent], label="Mails, the newest first"),
        aside=components.badge(f"{open_cases} to look at", "bad")
        if open_cases
        else components.badge("all well", "good"),
        note="Each mail is kept as it was sent; addresses are shortened here.",
        id="archive-card",
    )


def _row(each: Sent) -> tuple[Any, ...]:
    return (
        each.report,
        each.period,
        each.reader,
        components.badge(each.state, _TONES.get(each.state, "plain")),
        formats.count(each.attempts),
        formats.moment(each.changed_at),
        ": ".join(text for text in (_MEANINGS.get(each.state, ""), each.detail) if text),
        html.A("show", href=f"{MAIL}{each.name}", target="_blank", rel="noopener"),
    )

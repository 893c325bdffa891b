"""The message about one or several incidents: the same facts as plain text and as JSON.

In: notices of one batch with their incidents. Out: a `Message`; each channel gives it its form.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lakehouse.settings import Settings, address
from reports.alerts.store import Incident, Notice
from reports.alerts.words import contributor_line, title_of
from reports.foreign_texts import plain

PAGE = "alerts"


@dataclass(frozen=True)
class Message:
    """One message to one target. `alerts` holds each incident's facts, JSON-ready."""

    batch: str
    title: str
    text: str
    link: str
    alerts: tuple[Mapping[str, Any], ...]

    def as_json(self) -> dict[str, Any]:
        return {
            "delivery": self.batch,
            "title": self.title,
            "link": self.link,
            "alerts": list(self.alerts),
        }


def page_link(settings: Settings) -> str:
    """Where a person sees all alerts."""
    return f"{(settings.dashboard_url or address(settings)).rstrip('/')}/{PAGE}"


def message_of(batch: Sequence[tuple[Notice, Incident]], *, settings: Settings) -> Message:
    """One message of all notices of a batch, critical ones first."""
    ordered = sorted(batch, key=lambda each: (each[1].severity != "critical", each[1].id))
    link = page_link(settings)
    alerts = tuple(_alert(notice, incident) for notice, incident in ordered)
    title = title_of(
        [each["kind"] for each in alerts],
        [each["summary"] for each in alerts],
        [each["severity"] for each in alerts],
    )
    text = "\n\n".join([*(_paragraph(each) for each in alerts), f"All alerts: {link}"])
    return Message(ordered[0][0].batch, title, text, link, alerts)


def _alert(notice: Notice, incident: Incident) -> dict[str, Any]:
    facts = dict(incident.facts)
    return {
        "notice": notice.id,
        "kind": notice.kind,
        "incident": incident.id,
        "rule": incident.rule,
        "subject": incident.subject,
        "severity": incident.severity,
        "group": incident.owners,
        "state": incident.state,
        "summary": incident.summary,
        "fired_at": incident.fired_at.isoformat(),
        "resolved_at": incident.resolved_at.isoformat() if incident.resolved_at else None,
        "resolution": incident.resolution,
        **facts,
    }


def _paragraph(alert: Mapping[str, Any]) -> str:
    word = {"fired": "ALERT", "resolved": "RESOLVED", "escalated": "STILL OPEN"}[alert["kind"]]
    lines = [f"{word} ({alert['severity']}, {plain(alert['group'])}): {alert['summary']}"]
    if alert["kind"] == "resolved":
        lines.append(f"Now: {alert['resolution']}")
    else:
        lines.append(alert["meaning"])
        lines += [f"- {contributor_line(each, alert['unit'])}" for each in alert["contributors"]]
        lines.append(f"What to do: {alert['remedy']}")
        lines.append(f"Taking care of it? lake alerts ack {alert['incident']}")
    return "\n".join(lines)

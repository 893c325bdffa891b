"""The parts of Alerts: open ones with what is behind them, the history, the rules.

In: `Alerts`. Out: components; every name of the data is a text. No data access.
"""

from collections.abc import Sequence
from typing import Any

from dash import html

from dashboards import components, formats
from dashboards.components import Column, Tone
from dashboards.queries.alerts import Alerts, Told
from reports.alerts.words import contributor_line
from reports.foreign_texts import plain

_TONES: dict[str, Tone] = {"critical": "bad", "warning": "warn"}
_STATES: dict[str, Tone] = {"open": "bad", "acknowledged": "warn", "resolved": "good"}
_LIMITS = ("fire_below", "fire_above", "fire_beyond", "clear_above", "clear_below", "clear_within")


def open_alerts(found: Alerts) -> Any:
    """Each alert that is not over, critical ones first."""
    ordered = sorted(
        found.open, key=lambda each: (each.incident.severity != "critical", -each.incident.id)
    )
    unclaimed = sum(each.incident.state == "open" for each in found.open)
    counts = [
        components.badge(f"{unclaimed} open", "bad") if unclaimed else None,
        components.badge(f"{len(found.open) - unclaimed} acknowledged", "warn")
        if len(found.open) > unclaimed
        else None,
        None if found.open else components.badge("all calm", "good"),
    ]
    return components.card(
        "Open alerts",
        html.Ul([_open(each) for each in ordered], className="checks")
        if ordered
        else html.P("No rule finds anything wrong.", className="muted"),
        aside=html.Span(counts, className="badges"),
        note="A trouble is told once, and stays here until its figures are calm again.",
        id="open-alerts-card",
    )


def history(found: Alerts) -> Any:
    """What is over, newest first."""
    columns = [
        Column("Alert"),
        Column("Severity"),
        Column("What it was", is_wide=True),
        Column("Began"),
        Column("Over"),
        Column("How it ended", is_wide=True),
        Column("Messages", is_number=True),
    ]
    rows = [
        (
            f"#{each.incident.id} {each.incident.rule}",
            components.badge(each.incident.severity, _TONES[each.incident.severity]),
            each.incident.summary,
            formats.moment(each.incident.fired_at),
            formats.moment(each.incident.resolved_at),
            each.incident.resolution,
            _messages(each),
        )
        for each in found.past
    ]
    return components.card(
        "History",
        components.table(columns, rows, label="Alerts that are over")
        if rows
        else html.P("No alert is over yet.", className="muted"),
        note="Alerts that are over, the newest first.",
        id="alert-history-card",
    )


def rules(found: Alerts) -> Any:
    """Every rule, its limits, and how often it has fired."""
    rows = [
        (
            name,
            rule.kpi.replace("_", " ") or rule.kind.replace("_", " "),
            ", ".join(
                f"{limit.replace('_', ' ')} {value:g}"
                for limit in _LIMITS
                if (value := getattr(rule, limit)) is not None
            ),
            rule.severity,
            rule.group,
            rule.meaning,
            str(found.fired.get(name, 0)),
        )
        for name, rule in found.rules.items()
    ]
    head: Sequence[str] = ("Rule", "Judges", "Limits", "Severity", "Owner", "Meaning", "Fired")
    return components.card(
        "Rules",
        components.plain_table(head, rows, label="Rules of alerts"),
        note="How each kind judges is in docs/alerts.md.",
        id="alert-rules-card",
    )


def _open(each: Told) -> Any:
    incident, facts = each.incident, each.incident.facts
    unit = str(facts.get("unit", ""))
    named = [contributor_line(one, unit) for one in facts.get("contributors", [])]
    who = (
        f"{incident.acknowledged_by} takes care of it"
        + (f": {plain(incident.note)}" if incident.note else "")
        if incident.state == "acknowledged"
        else None
    )
    return html.Li(
        [
            html.Div(
                [
                    html.Span(
                        [f"#{incident.id} ", html.Strong(incident.summary)], className="check-what"
                    ),
                    html.Span(
                        [
                            components.badge(incident.severity, _TONES[incident.severity]),
                            components.badge(incident.state, _STATES[incident.state]),
                        ],
                        className="badges",
                    ),
                ],
                className="bar-line",
            ),
            html.P(str(facts.get("meaning", ""))),
            html.Ul([html.Li(line) for line in named]) if named else None,
            html.P(str(facts.get("remedy", ""))),
            html.P(
                [
                    f"Since {formats.moment(incident.fired_at)}, rule {incident.rule}, owner ",
                    f"{plain(incident.owners)}, {_messages(each)} messages. ",
                    who if who else html.Code(f"./lake alerts ack {incident.id}"),
                ],
                className="muted",
            ),
        ],
        className=f"check check-{_TONES[incident.severity]}",
    )


def _messages(each: Told) -> str:
    """Messages that went out; with those that did not, where there are any."""
    sent = sum(notice.state == "sent" for notice in each.notices)
    failed = sum(notice.state == "failed" for notice in each.notices)
    return f"{sent} and {failed} failed" if failed else str(sent)

"""The parts of Data health: one card for each kind of result that a run reports.

In: a `LastRun`. Out: components; what the report lacks is said in words. No data access.
"""

from typing import Any

from dash import html

from dashboards import components, formats
from dashboards.components import Column, Tone
from dashboards.queries.last_run import Check, LastRun, Stage
from lakehouse.contracts import REASONS

QUALITY_REPORT = "/quality-report"
"""Where the screens' server shows the page of the gate's last results."""

_TONES: dict[str, Tone] = {"done": "good", "passed": "good", "failed": "bad", "skipped": "plain"}
_REASONS = {reason.code: reason for reason in REASONS}


def summary(run: LastRun) -> Any:
    """The last run at a glance."""
    facts = [
        ("Finished", formats.moment(run.finished_at)),
        ("Took", formats.seconds(run.wall_seconds)),
        ("CPU time", formats.seconds(run.cpu_seconds)),
        ("Peak memory", formats.size(run.peak_pss_bytes)),
        ("Run", html.Code(run.run_id or formats.NOTHING)),
        ("Command", html.Code(run.command or formats.NOTHING)),
    ]
    return components.card(
        "Last run",
        html.Dl(
            [html.Div([html.Dt(name), html.Dd(value)], className="fact") for name, value in facts],
            className="facts",
        ),
        aside=components.badge(run.verdict or "unknown", _TONES.get(run.verdict, "plain")),
        note=run.message or None,
        id="last-run-card",
    )


def reconciliation(run: LastRun) -> Any:
    """Each equation with both sides; failing ones first."""
    ordered = sorted(run.equations, key=lambda each: each.holds)
    failing = sum(not each.holds for each in ordered)
    rows = [
        (
            components.badge("holds", "good") if each.holds else components.badge("fails", "bad"),
            html.Strong(each.name),
            each.statement,
            each.left,
            each.right,
            each.difference,
        )
        for each in ordered
    ]
    columns = [
        Column("Verdict"),
        Column("Equation"),
        Column("What must be equal", is_wide=True),
        Column("Left", is_number=True, is_wide=True),
        Column("Right", is_number=True, is_wide=True),
        Column("Difference", is_number=True, is_wide=True),
    ]
    tally = [
        components.badge(f"{failing} fail{'s' * (failing == 1)}", "bad") if failing else None,
        components.badge(f"{len(rows) - failing} hold", "good") if len(rows) > failing else None,
    ]
    return components.card(
        "Reconciliation",
        components.table(columns, rows, label="Reconciliation equations")
        if rows
        else _nothing("The last run got to no reconciliation."),
        aside=html.Span(tally, className="badges"),
        note="Every record of the sources ends in exactly one place, and the money agrees.",
        id="reconciliation-card",
    )


def quality(run: LastRun) -> Any:
    """Results of the quality gate: blocking failures, warnings, then what passed, folded."""
    failed = sorted(
        (each for each in run.checks if not each.is_success),
        key=lambda each: (not each.is_blocking, each.table, each.name),
    )
    passed = sorted(
        (each for each in run.checks if each.is_success), key=lambda each: (each.table, each.name)
    )
    blocking = sum(each.is_blocking for each in failed)
    warnings = len(failed) - blocking
    counts = [
        components.badge(f"{blocking} blocking", "bad") if blocking else None,
        components.badge(f"{warnings} warning{'s' * (warnings != 1)}", "warn")
        if warnings
        else None,
        components.badge(f"{len(passed)} passed", "good") if passed else None,
    ]
    if not run.checks:
        content = [_nothing("The last run got to no quality check.")]
    else:
        content = [
            html.Ul([_check(each) for each in failed], className="checks")
            if failed
            else html.P("Every check passed."),
            _folded(passed) if passed else None,
            html.P(html.A("Every rule, with what it observed", href=QUALITY_REPORT)),
        ]
    return components.card(
        "Quality gate",
        content,
        aside=html.Span(counts, className="badges"),
        note="Rules on silver. A blocking failure keeps new figures from being published.",
        id="quality-card",
    )


def quarantine(run: LastRun) -> Any:
    """Refused records by reason, with what the reason means and what to do."""
    total = sum(records for _, records in run.refused)
    items = []
    for code, records in sorted(run.refused, key=lambda each: (-each[1], each[0])):
        reason = _REASONS.get(code)
        items.append(
            html.Li(
                [
                    html.Div(
                        [html.Code(code), html.Strong(formats.count(records), className="num")],
                        className="bar-line",
                    ),
                    html.P(reason.meaning if reason else "A reason unknown to this version."),
                    html.P(reason.remedy, className="muted") if reason else None,
                ]
            )
        )
    return components.card(
        "Quarantine",
        html.Ul(items, className="reasons")
        if items
        else _nothing("No record was refused: the quarantine is empty."),
        aside=components.badge(
            f"{formats.count(total)} record{'s' * (total != 1)}", "warn" if total else "good"
        ),
        note="Refused records wait here; the rest of the data went on.",
        id="quarantine-card",
    )


def stages(run: LastRun) -> Any:
    """What each stage read, wrote and took."""
    longest = max((each.seconds or 0 for each in run.stages), default=0)
    columns = [
        Column("Stage"),
        Column("Result"),
        Column("Rows in", is_number=True),
        Column("Rows out", is_number=True),
        Column("Time", is_number=True),
        Column("CPU time", is_number=True),
        Column("", is_wide=True),
        Column("Note", is_wide=True),
    ]
    rows = [_stage(each, longest) for each in run.stages]
    return components.card(
        "Stages",
        components.table(columns, rows, label="Stages of the last run")
        if rows
        else _nothing("The last run reported no stage."),
        note="Stages may overlap, so their times can add up to more than the run took.",
        id="stages-card",
    )


def versions(run: LastRun) -> Any:
    """What the run was made with; nothing when it does not say."""
    if not run.versions:
        return None
    return components.card(
        "Made with",
        html.Ul(
            [html.Li([html.Span(name, className="muted"), each]) for name, each in run.versions],
            className="versions",
        ),
    )


def _folded(passed: list[Check]) -> Any:
    many = f"{len(passed)} checks that passed" if len(passed) > 1 else "1 check that passed"
    rows = [(each.table, each.name, each.meaning) for each in passed]
    return html.Details(
        [
            html.Summary(f"Show {many}"),
            components.plain_table(("Table", "Rule", "Meaning"), rows, label="Passed checks"),
        ]
    )


def _check(each: Check) -> Any:
    tone: Tone = "good" if each.is_success else "bad" if each.is_blocking else "warn"
    word = {"good": "passed", "bad": "blocks", "warn": "warns"}[tone]
    why = " – ".join(text for text in (each.observed, each.detail) if text)
    return html.Li(
        [
            html.Div(
                [
                    html.Span([each.table, html.Strong(each.name)], className="check-what"),
                    components.badge(word, tone),
                ],
                className="bar-line",
            ),
            html.P(each.meaning),
            html.P(why) if why and not each.is_success else None,
        ],
        className=f"check check-{tone}",
    )


def _stage(each: Stage, longest: float) -> tuple[Any, ...]:
    width = (each.seconds or 0) / longest * 100 if longest else 0
    return (
        html.Strong(each.name),
        components.badge(each.status or "unknown", _TONES.get(each.status, "plain")),
        formats.count(each.rows_in),
        formats.count(each.rows_out),
        formats.seconds(each.seconds),
        formats.seconds(each.cpu_seconds),
        html.Div(
            html.Div(className="bar-fill", style={"width": f"{width:.1f}%"}),
            className="bar-track",
            **{"aria-hidden": "true"},
        ),
        each.note,
    )


def _nothing(text: str) -> Any:
    return html.P(text, className="muted")

"""Data health: the last run, its stages, quality, quarantine and reconciliation.

In: the last run's report and the gold in service. Out: cards; what the report lacks is left out.
Alone: `python -m dashboards.app`, then open /data-health.
"""

from typing import Any

from dash import Input, Output, html

from dashboards import components, formats
from dashboards.callbacks import FIRST_COMMAND, off_loop
from dashboards.components import Column, Tone
from dashboards.last_run import Check, LastRun, Stage, read_last_run
from dashboards.published import PublishedGold
from lakehouse.contracts import REASONS

PATH, TITLE, ICON = "/data-health", "Data health", "pulse"
_TONES: dict[str, Tone] = {"done": "good", "passed": "good", "failed": "bad", "skipped": "plain"}
_REASONS = {reason.code: reason for reason in REASONS}


def layout() -> Any:
    """The page without content; a callback fills it."""
    return html.Div(
        [
            html.Div(
                [
                    html.H1(TITLE),
                    html.P(
                        "Is every figure complete and equal to the events that made it?",
                        className="muted",
                    ),
                ],
                className="page-head",
            ),
            html.Div(id="health-body"),
        ]
    )


def register(app: Any, gold: PublishedGold) -> None:
    """Connect the page to the last run's report."""
    app.callback(Output("health-body", "children"), Input("epoch", "data"))(
        off_loop(lambda _epoch: body(read_last_run(gold.settings)), on_error=lambda notice: notice)
    )


def body(run: LastRun | None) -> Any:
    """The whole page for one run."""
    if run is None:
        return components.empty_state(
            "No run yet",
            why="No run has left a report. This command loads the shop's history and checks it; "
            "the page fills by itself when it is done.",
            command=FIRST_COMMAND,
        )
    return html.Div(
        [
            summary(run),
            reconciliation(run),
            html.Div([quality(run), quarantine(run)], className="halves"),
            stages(run),
            versions(run),
        ],
        className="stack",
    )


def summary(run: LastRun) -> Any:
    """The last run at a glance."""
    facts = [
        ("Finished", formats.moment(run.finished_at)),
        ("Took", formats.seconds(run.wall_seconds)),
        ("CPU time", formats.seconds(run.cpu_seconds)),
        ("Peak memory", formats.size(run.peak_pss_bytes)),
        ("Run", run.run_id or formats.NOTHING),
        ("Command", run.command or formats.NOTHING),
    ]
    verdict = components.badge(run.verdict or "unknown", _TONES.get(run.verdict, "plain"))
    return components.card(
        "Last run",
        html.Dl(
            [html.Div([html.Dt(name), html.Dd(value)], className="fact") for name, value in facts],
            className="facts",
        ),
        aside=verdict,
        note=run.message or None,
        id="last-run-card",
    )


def reconciliation(run: LastRun) -> Any:
    """Each equation with both sides; failing ones first."""
    ordered = sorted(run.equations, key=lambda each: each.holds)
    failing = sum(not each.holds for each in ordered)
    rows = [
        (
            components.badge("holds" if each.holds else "fails", "good" if each.holds else "bad"),
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
        Column("Left", is_number=True),
        Column("Right", is_number=True),
        Column("Difference", is_number=True),
    ]
    return components.card(
        "Reconciliation",
        components.table(columns, rows, label="Reconciliation equations")
        if rows
        else _nothing("The last run got to no reconciliation."),
        aside=_tally(len(rows) - failing, failing, "hold", "fail"),
        note="Every record of the source ends in exactly one place, and the money agrees.",
        id="reconciliation-card",
    )


def quality(run: LastRun) -> Any:
    """Results of the quality gate; blocking failures first, then warnings."""
    ordered = sorted(
        run.checks, key=lambda each: (each.is_success, each.severity != "block", each.table)
    )
    blocking = sum(not each.is_success and each.severity == "block" for each in ordered)
    warnings = sum(not each.is_success and each.severity != "block" for each in ordered)
    counts = [
        components.badge(f"{len(ordered) - blocking - warnings} passed", "good"),
        components.badge(f"{blocking} blocking", "bad") if blocking else None,
        components.badge(f"{warnings} warning{'s' * (warnings != 1)}", "warn")
        if warnings
        else None,
    ]
    return components.card(
        "Quality gate",
        html.Ul([_check(each) for each in ordered], className="checks", tabIndex=0)
        if ordered
        else _nothing("The last run got to no quality check."),
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
        Column("", is_wide=True),
        Column("CPU time", is_number=True),
        Column("Note", is_wide=True),
    ]
    return components.card(
        "Stages",
        components.table(
            columns, [_stage(each, longest) for each in run.stages], label="Stages of the last run"
        )
        if run.stages
        else _nothing("The last run reported no stage."),
        note="Stages overlap where that saves time, so their times can add up to more than the run.",
        id="stages-card",
    )


def versions(run: LastRun) -> Any:
    """What the run was made with."""
    if not run.versions:
        return None
    return components.card(
        "Made with",
        html.Ul(
            [html.Li([html.Span(name, className="muted"), each]) for name, each in run.versions],
            className="versions",
        ),
    )


def _check(each: Check) -> Any:
    tone: Tone = "good" if each.is_success else "bad" if each.severity == "block" else "warn"
    word = "passed" if each.is_success else "blocks" if each.severity == "block" else "warns"
    rule = each.expectation.removeprefix("expect_").replace("_", " ")
    return html.Li(
        [
            html.Div(
                [
                    html.Span([each.table, html.Strong(each.column)], className="check-what"),
                    components.badge(word, tone),
                ],
                className="bar-line",
            ),
            html.P(rule),
            html.P(
                " – ".join(text for text in (each.observed, each.detail) if text),
                className="muted",
            )
            if not each.is_success
            else None,
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
        html.Div(
            html.Div(className="bar-fill", style={"width": f"{width:.1f}%"}),
            className="bar-track",
            **{"aria-hidden": "true"},
        ),
        formats.seconds(each.cpu_seconds),
        each.note,
    )


def _tally(good: int, bad: int, good_word: str, bad_word: str) -> Any:
    badges = [components.badge(f"{good} {good_word}", "good")] if good else []
    if bad:
        badges.insert(0, components.badge(f"{bad} {bad_word}", "bad"))
    return html.Span(badges, className="badges")


def _nothing(text: str) -> Any:
    return html.P(text, className="muted")

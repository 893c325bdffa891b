"""A report in words: every text of a mail, once, for its HTML, its text part and its page.

In: figures, health, corrections and forecast, and who reads. Out: `Told`, plain texts without any
markup. What is in it was formatted here, so that all forms of a mail show the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal

from reports.corrections import Correction
from reports.figures import FIRST, ORDERS, Figures, Line
from reports.forecast import Forecast
from reports.foreign_texts import plain
from reports.health import Health
from reports.languages import kpi_name
from reports.periods import Period, Span, span_of
from reports.speech import Speech

Tone = Literal["good", "bad", "plain"]


@dataclass(frozen=True)
class Change:
    """A change in words, and whether it is for the better."""

    text: str
    tone: Tone


@dataclass(frozen=True)
class Row:
    """A row of the table of KPIs."""

    name: str
    now: str
    before: str
    before_change: Change
    usual: str
    usual_change: Change


@dataclass(frozen=True)
class Moved:
    """A product or country that rose or fell."""

    name: str
    now: str
    change: Change


@dataclass(frozen=True)
class Told:
    """All texts of one mail. Lists may be empty: then their part of the mail is left out."""

    language: str
    title: str
    subject: str
    period: str
    sentence: str
    partial: str
    headings: tuple[str, str, str, str]
    rows: tuple[Row, ...]
    usual_note: str
    movers: tuple[tuple[str, tuple[Moved, ...]], ...]
    movers_note: str
    corrections: tuple[str, ...]
    forecast: tuple[tuple[str, str, str], ...]
    forecast_note: str
    health: str
    in_doubt: bool
    as_of: str
    words: dict[str, str]
    why: str


def tell(
    figures: Figures,
    health: Health,
    corrections: Sequence[Correction],
    forecast: Forecast | None,
    *,
    speech: Speech,
    run_id: str,
    published_at: datetime | None,
) -> Told:
    """The report in one reader's words."""
    period, say = figures.period, speech.say
    title = say(period.report)
    days = period_words(period, speech)
    kind = "day" if period.report == "daily" else "week"
    usual = say(f"usual_{kind}_title", weekday=speech.weekday(period.start))
    return Told(
        language=speech.language,
        title=title,
        subject=f"{title}: {days}",
        period=days,
        sentence=sentence(figures, speech),
        partial="" if period.is_whole else say("partial"),
        headings=(say("kpi"), say("now"), say(f"before_{kind}"), usual),
        rows=tuple(
            _row(each, speech)
            for each in figures.lines
            if (each.now, each.before, each.usual) != (None, None, None)
        ),
        usual_note=say("usual_note", count=len(period.usual)) if period.usual else "",
        movers=_movers(figures, speech),
        movers_note=say("movers_note", count=len(period.usual)),
        corrections=tuple(_correction(each, speech) for each in corrections),
        forecast=tuple(
            (
                speech.day(day, "near"),
                speech.money(mean),
                f"{speech.money(low)} – {speech.money(high)}",
            )
            for day, mean, low, high in (forecast.days if forecast else ())
        ),
        forecast_note=say(
            "forecast_note", model=plain(forecast.model), level=speech.percent(forecast.level, 0)
        )
        if forecast
        else "",
        health=_health(health, speech),
        in_doubt=health.is_red,
        as_of=say("as_of", run=run_id, moment=speech.moment(published_at) if published_at else "–"),
        words={
            name: say(name)
            for name in (
                *("movers", "charts", "forecast", "corrections", "corrections_note", "health"),
                *("links", "link_overview", "link_health", "unsubscribe", "attached", "change"),
                *("product", "country", "day", "expected", "range", "now", "average"),
            )
        },
        why=say("why", report=title),
    )


def period_words(period: Period, speech: Speech) -> str:
    """Friday, 9 December 2011, or Mon, 5 Dec 2011 – Sun, 11 Dec 2011."""
    return span_words(period.span, speech)


def span_words(span: Span, speech: Speech) -> str:
    """A day in full, or the first and last of several."""
    if span[0] == span[1]:
        return speech.day(span[0])
    return " – ".join(speech.day(each, "short") for each in span)


def sentence(figures: Figures, speech: Speech) -> str:
    """The one sentence that a reader with no time needs."""
    period, line, say = figures.period, figures.line(FIRST), speech.say
    when = (
        say("on_day", day=speech.day(period.start))
        if period.report == "daily"
        else say(
            "in_week",
            start=speech.day(period.start, "short"),
            end=speech.day(period.end, "short"),
        )
    )
    if not period.is_trading:
        always = period.report == "daily" and not period.usual and period.before is not None
        return say("closed_always" if always else "closed", when=when)
    now, orders = line.now or Decimal(0), figures.line(ORDERS).now or Decimal(0)
    return say(
        "sentence",
        kpi=kpi_name(line.kpi, speech.language),
        when=when,
        value=speech.money(now),
        comparison=_comparison(now, line.usual, period, speech),
        orders=speech.counted("orders", orders),
    )


def _comparison(now: Decimal, usual: Decimal | None, period: Period, speech: Speech) -> str:
    if usual is None or usual <= 0:
        return speech.say("alone") if usual is None else ""
    ratio = now / usual - 1
    kind = "usual_day" if period.report == "daily" else "usual_week"
    return speech.say(
        "level" if abs(ratio) < Decimal("0.0005") else "above" if ratio > 0 else "below",
        change=speech.percent(abs(ratio)),
        usual=speech.say(kind, weekday=speech.weekday(period.start)),
        amount=speech.money(usual),
    )


def _row(line: Line, speech: Speech) -> Row:
    unit = line.kpi.unit
    return Row(
        plain(kpi_name(line.kpi, speech.language)),
        speech.value(line.now, unit),
        speech.value(line.before, unit),
        change_of(line, line.before, speech),
        speech.value(line.usual, unit),
        change_of(line, line.usual, speech),
    )


def change_of(line: Line, other: Decimal | None, speech: Speech) -> Change:
    """The change of a KPI's size: of a rate in points, else in per cent of what it was."""
    if line.now is None or other is None:
        return Change("", "plain")
    now, was = abs(line.now), abs(other)
    if line.kpi.unit == "rate":
        points = (now - was) * 100
        text = speech.say("points", value=speech.decimal(points, 1))
        return Change(speech.signed(text, points), _tone(points, line.kpi.direction))
    if was == 0:
        return Change("", "plain")
    ratio = now / was - 1 if line.now * other >= 0 else (line.now - other) / was
    return Change(speech.signed(speech.percent(ratio), ratio), _tone(ratio, line.kpi.direction))


def _tone(change: Decimal, direction: str) -> Tone:
    if abs(change) < Decimal("0.0005"):
        return "plain"
    return "good" if (change > 0) == (direction == "up") else "bad"


def _movers(figures: Figures, speech: Speech) -> tuple[tuple[str, tuple[Moved, ...]], ...]:
    found = []
    for kind in ("product", "country"):
        rows = tuple(
            Moved(
                plain(each.name),
                speech.money(each.now),
                Change(
                    speech.signed(speech.money(each.change), each.change),
                    _tone(each.change, "up"),
                ),
            )
            for each in figures.movers
            if each.kind == kind
        )
        if rows:
            found.append((speech.say(kind), rows))
    return tuple(found)


def _correction(each: Correction, speech: Speech) -> str:
    return speech.say(
        "correction",
        period=span_words(span_of(each.period), speech),
        kpi=kpi_name(each.kpi, speech.language),
        old=speech.value(each.old, each.kpi.unit),
        new=speech.value(each.new, each.kpi.unit),
    )


def _health(health: Health, speech: Speech) -> str:
    if health.is_red:
        return speech.say("red", reasons="; ".join(health.red))
    warnings = (
        speech.say("warnings_other", count=health.warnings)
        if health.warnings
        else speech.say("warnings_none")
    )
    return speech.say(
        "health_line",
        equations=health.equations,
        checks=speech.count(health.checks - health.warnings),
        warnings=warnings,
        refused=speech.count(health.refused),
    )

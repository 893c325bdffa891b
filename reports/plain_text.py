"""A report as plain text, for readers and clients that show no HTML."""

from collections.abc import Mapping, Sequence

from reports.charts import Chart
from reports.wording import Moved, Told


def text(
    told: Told, charts: Sequence[Chart], *, links: Sequence[tuple[str, str]], unsubscribe: str
) -> str:
    """The text part of a mail; what the charts show is told in words."""
    words = told.words
    blocks = [f"{told.title}: {told.period}\n\n{told.sentence}"]
    if told.corrections:
        blocks.append(_block(words["corrections"], [*told.corrections, words["corrections_note"]]))
    rows = [
        (
            row.name,
            row.now,
            _with(row.before, row.before_change.text),
            _with(row.usual, row.usual_change.text),
        )
        for row in told.rows
    ]
    notes = [each for each in (told.partial, told.usual_note) if each]
    blocks.append("\n".join([*_columns([told.headings, *rows]), *notes]))
    if told.movers:
        lines = [line for kind, moved in told.movers for line in _moved(kind, moved, words)]
        blocks.append(_block(words["movers"], [*lines, told.movers_note]))
    if told.forecast:
        lines = _columns([(words["day"], words["expected"], words["range"]), *told.forecast])
        blocks.append(_block(words["forecast"], [*lines, told.forecast_note]))
    if charts:
        blocks.append(_block(words["charts"], [each.alt for each in charts]))
    blocks.append(_block(words["health"], [told.health, told.as_of]))
    blocks.append(_block(words["links"], [f"{name}: {link}" for name, link in links]))
    blocks.append(f"{words['attached']}\n{told.why}\n{words['unsubscribe']}: {unsubscribe}")
    return "\n\n".join(blocks) + "\n"


def _moved(kind: str, moved: Sequence[Moved], words: Mapping[str, str]) -> list[str]:
    rows = [(each.name, each.now, each.change.text) for each in moved]
    return [*_columns([(kind, words["now"], words["change"]), *rows]), ""]


def _block(title: str, lines: Sequence[str]) -> str:
    return "\n".join([title, "-" * len(title), *lines])


def _with(value: str, change: str) -> str:
    return f"{value} ({change})" if change else value


def _columns(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows in columns: the first to the left, the others to the right."""
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    return [
        "  ".join(
            cell.ljust(width) if place == 0 else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]

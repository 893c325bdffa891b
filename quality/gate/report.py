"""A page of the gate's verdicts that needs no network: what failed first, then every rule by suite.

In: a `GateResult`. Out: one HTML file, light or dark as the system is, readable on a phone, and the
results of each run as JSON beside it. Every value is escaped.
Run standalone: `write_report(result, path)`.
"""

import json
from collections.abc import Iterable, Sequence
from html import escape
from itertools import groupby
from pathlib import Path

from lakehouse.files import replace_text
from lakehouse.html_page import offline_page
from lakehouse.shop_format import counted
from quality.gate.verdicts import GateResult, QualityRow, is_blocking

_STYLE = """
:root { color-scheme: light dark; --ink: #1d2430; --paper: #ffffff; --quiet: #5b6575;
  --line: #d9dee6; --bad: #a3161c; --warn: #7a4b00; --good: #17653a; --shade: #f4f6f9; }
@media (prefers-color-scheme: dark) { :root { --ink: #e7ebf2; --paper: #14181f; --quiet: #a3adbd;
  --line: #333c4a; --bad: #ff9a9a; --warn: #f2c063; --good: #83d6a4; --shade: #1c222c; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.5rem 1rem 3rem; max-width: 76rem; color: var(--ink);
  background: var(--paper); font: 16px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.5rem; margin: 0; } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
p { margin: .4rem 0; } .quiet, td small { color: var(--quiet); }
table { width: 100%; border-collapse: collapse; }
th, td { text-align: left; vertical-align: top; padding: .45rem .6rem; overflow-wrap: anywhere;
  border-bottom: 1px solid var(--line); }
th { white-space: nowrap; font-size: .85rem; color: var(--quiet); font-weight: 600; }
td small { display: block; font-size: .85rem; }
tr.failed, tr.error { background: var(--shade); }
.blocked { color: var(--bad); } .warned { color: var(--warn); } .held { color: var(--good); }
.verdict { font-weight: 600; white-space: nowrap; }
details > summary { cursor: pointer; padding: .35rem 0; font-weight: 600; }
td.detail { width: 34%; } td.rule { width: 32%; }
@media (max-width: 44rem) {
  thead { position: absolute; left: -99rem; }
  tr, td, td.detail, td.rule { display: block; width: auto; }
  tr { padding: .5rem 0; border-bottom: 1px solid var(--line); }
  td { border: 0; padding: .1rem .5rem; } td:empty { display: none; }
}
"""
_HEAD = (
    "<thead><tr><th scope='col'>Verdict</th><th scope='col'>Rule</th><th scope='col'>Severity</th>"
    "<th scope='col'>Observed</th><th scope='col'>Detail</th></tr></thead>"
)


PAGE = "quality.html"


def store_results(result: GateResult, *, run_id: str, folder: Path) -> Path:
    """Keep a run's results as `quality-<run>.json`, and make the page show them.

    Returns: the page, `quality.html` in the folder.
    """
    page = folder / PAGE
    replace_text(folder / f"quality-{run_id}.json", json.dumps(result.to_json(), indent=1))
    write_report(result, page)
    return page


def write_report(result: GateResult, path: Path) -> None:
    """Write the page; a reader sees the old page or the new one, never half of it.

    Args:
        result: What the gate found.
        path: The HTML file; its folder is made.
    """
    replace_text(path, render(result))


def render(result: GateResult) -> str:
    """The page as text: failures first, then each suite, its failures first too."""
    failures = sorted((row for row in result.results if not row["success"]), key=_urgency)
    in_suites = sorted(result.results, key=lambda row: row["suite"])
    suites = [
        (name, sorted(rows, key=_urgency))
        for name, rows in groupby(in_suites, key=lambda row: row["suite"])
    ]
    suites.sort(key=lambda suite: min(map(_urgency, suite[1])))
    failed = f"<h2>What failed</h2>{_table(failures)}" if failures else ""
    body = "".join(_suite(name, rows) for name, rows in suites)
    return offline_page(
        "Quality of silver",
        style=_STYLE,
        body=f"{_summary(result)}{failed}<h2>Every rule, by suite</h2>{body}",
    )


def _summary(result: GateResult) -> str:
    blocking = len(result.blocking)
    warnings = sum(not row["success"] for row in result.results) - blocking
    tone, verdict = ("held", "Gold may be built.") if result.passed else ("blocked", "Gold waits.")
    since = "every row" if result.since_batch is None else f"rows after batch {result.since_batch}"
    judged = ", ".join(f"{counted(rows)} of {name}" for name, rows in result.rows.items() if rows)
    when = f" at {result.judged_at}" if result.judged_at else ""
    facts = (
        f"{len(result.results)} rules: {blocking} blocking, {_counted(warnings, 'warning')}.",
        f"Judged {since} in {result.seconds:.1f} seconds{when}: {judged or 'no new rows'}.",
        "Versions: " + ", ".join(f"{name} {v}" for name, v in result.table_versions.items()) + ".",
    )
    shown = facts if result.table_versions else facts[:2]
    lines = "".join(f"<p class='quiet'>{escape(fact)}</p>" for fact in shown)
    return f"<p class='verdict {tone}'>{verdict}</p>{lines}"


def _suite(name: str, rows: Sequence[QualityRow]) -> str:
    failed = sum(not row["success"] for row in rows)
    state = f"{failed} failed" if failed else "all hold"
    opened = " open" if failed else ""
    title = escape(f"{name}: {_counted(len(rows), 'rule')}, {state}")
    return f"<details{opened}><summary>{title}</summary>{_table(rows)}</details>"


def _table(rows: Iterable[QualityRow]) -> str:
    return f"<table>{_HEAD}<tbody>{''.join(map(_line, rows))}</tbody></table>"


def _line(row: QualityRow) -> str:
    tone = "held" if row["success"] else "blocked" if is_blocking(row) else "warned"
    where = f"{row['table']}.{row['column']}" if row["column"] else row["table"]
    return (
        f"<tr class='{escape(row['status'])}'>"
        f"<td class='verdict {tone}'>{escape(row['status'])}</td>"
        f"<td class='rule'>{escape(row['meaning'])}"
        f"<small>{escape(row['rule'])}</small><small>{escape(where)}</small></td>"
        f"<td>{escape(row['severity'])}</td><td>{escape(row['observed'])}</td>"
        f"<td class='detail'>{escape(row['detail'])}</td></tr>"
    )


def _urgency(row: QualityRow) -> int:
    """0 for what blocks, 1 for a warning, 2 for what holds."""
    return 2 if row["success"] else 0 if is_blocking(row) else 1


def _counted(number: int, noun: str) -> str:
    return f"{counted(number)} {noun}{'' if number == 1 else 's'}"

"""The table of `docs/reliability.md`, from the figures of the last full run of the fault tests.

In: the file of `pytest --fault-results FILE` and the document. Out: the part between the document's
markers, rewritten: one row for each numbered test. Run standalone:
`python -m tests.faults.report RESULTS docs/reliability.md`.
"""

import ast
import json
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

from lakehouse.settings import PROJECT_ROOT
from tests.faults.results import numbered

BEGIN, END = "<!-- fault table: begin -->", "<!-- fault table: end -->"
HEAD = (
    "| test | stimulus | records | lost | doubled | pence off | recovery, seconds | human steps |",
    "|---|---|---:|---:|---:|---:|---:|---:|",
)
Row = dict[str, Any]


def main() -> None:
    """Write the table into the document."""
    results, document = Path(sys.argv[1]), Path(sys.argv[2])
    text = document.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    if not rest or END not in text:
        sys.exit(f"{document} lacks the markers {BEGIN} and {END}.")
    document.write_text(f"{before}{BEGIN}\n{table(read(results))}\n{END}{after}", encoding="utf-8")


def read(results: Path) -> list[Row]:
    """One row for each number and title: where it ran in several ways, the worst of them."""
    lines = results.read_text(encoding="utf-8").splitlines() if results.exists() else []
    newest = {(row["test"], row["node"]): row for row in map(json.loads, lines)}
    found: dict[tuple[str, str], Row] = {}
    for row in newest.values():
        key = row["test"], row["title"]
        found[key] = _worst(found[key], row) if key in found else row
    return list(found.values())


def _worst(one: Row, other: Row) -> Row:
    figures = ("records", "lost", "doubled", "recovery_seconds", "human_steps", "at")
    both = {name: [row[name] for row in (one, other) if row[name] is not None] for name in figures}
    off = [row["pounds_off"] for row in (one, other) if row["pounds_off"] is not None]
    notes = dict.fromkeys(note for row in (one, other) for note in row["note"].split("; ") if note)
    return {
        **one,
        **{name: max(values, default=None) for name, values in both.items()},
        "pounds_off": max(off, key=Decimal, default=None),
        "note": "; ".join(notes),
    }


def table(rows: list[Row]) -> str:
    """The caption and a row for each numbered test, measured or not."""
    measured = {(row["test"], row["title"]): row for row in rows}
    lines = [
        _line(number, title, measured.get((number, title)))
        for number, title in sorted(set(numbered_tests()))
    ]
    return "\n".join([_caption(rows), "", *HEAD, *lines])


def numbered_tests() -> Iterator[tuple[str, str]]:
    """(T number, title) of each test function below `tests/` that has a number."""
    for path in sorted((PROJECT_ROOT / "tests").rglob("test_*.py")):
        module = ast.parse(path.read_text(encoding="utf-8"))
        for node in module.body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                docstrings = ast.get_docstring(node), ast.get_docstring(module)
                yield from numbered(node.name, *docstrings)


def _caption(rows: list[Row]) -> str:
    if not rows:
        return "Not measured yet: `lake test --faults` fills this table."
    days = sorted(row["at"][:10] for row in rows)
    span = days[0] if days[0] == days[-1] else f"{days[0]} to {days[-1]}"
    machines = ", ".join(sorted({row["machine"] for row in rows}))
    return f"Measured on {span}, on {machines}. `lake test --faults` measures all of it again."


def _line(number: str, title: str, row: Row | None) -> str:
    if row is None:
        figures = ["not measured yet", *[""] * 5]
    elif row["lost"] is None:
        figures = ["", *["asserted 0"] * 3, _seconds(row), str(row["human_steps"] or 0)]
    else:
        pence = Decimal(row["pounds_off"]) * 100
        figures = [f"{row['records']:,}", f"{row['lost']:,}", f"{row['doubled']:,}"]
        figures += [f"{pence.normalize():f}", _seconds(row), str(row["human_steps"])]
    note = f" ({row['note']})" if row and row["note"] else ""
    return f"| {number} | {title}{note} | {' | '.join(figures)} |"


def _seconds(row: Row) -> str:
    return "" if row["recovery_seconds"] is None else f"{row['recovery_seconds']:.1f}"


if __name__ == "__main__":
    main()

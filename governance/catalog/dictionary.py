"""The data dictionary: what each KPI, table, column and field means, as one page of Markdown.

In: the declared KPIs, the contracts of gold, tables and topics. Out: the page's text,
the same for the same contracts. Run standalone: `lake dictionary` writes it to docs/dictionary.md.
"""

from collections.abc import Iterable, Sequence
from itertools import chain

from lakehouse.contracts.kpis import TABLE as KPI_TABLE
from lakehouse.contracts.kpis import Kpi, read_kpis
from lakehouse.contracts.marts import Mart, read_marts
from lakehouse.contracts.scores import SCORES
from lakehouse.contracts.tables import TABLES, Table
from lakehouse.contracts.topics import SOURCE_TOPICS, Topic
from lakehouse.settings import PROJECT_ROOT

PAGE = PROJECT_ROOT / "docs" / "dictionary.md"
_BETTER = {"up": "more", "down": "less"}
_OPENING = f"""# Data dictionary

`./lake dictionary` makes this page from the declared KPIs (`dbt_project/dbt_project.yml`) and the
contracts (`dbt_project/models/marts/*.yml`; `tables.py`, `scores.py` and `topics.py` of
`lakehouse/contracts`). Change those and not this page.

## KPIs

Each has one value a day in `{KPI_TABLE}`, over all sources. A quotient is rounded half up
to four decimals, and has no value where its base is not above zero. *Better* speaks of its size.
"""


def dictionary() -> str:
    """The page.

    Raises:
        LakeError: The dbt project can't be read.
    """
    return "\n".join(
        chain(
            [_OPENING],
            _kpis(read_kpis()),
            ["", "## Gold"],
            *map(_mart, read_marts()),
            ["", "## Bronze and silver"],
            *map(_table, TABLES),
            ["", "## Scores"],
            *map(_table, SCORES),
            ["", "## Topics"],
            *map(_topic, SOURCE_TOPICS),
            [""],
        )
    )


def _kpis(kpis: Iterable[Kpi]) -> list[str]:
    head = ("KPI", "definition", "calculation", "unit", "better", "owner", "source")
    return grid(
        head,
        (
            (
                f"`{each.name}`",
                each.definition,
                f"`{each.measure}`" + (f" / `{each.per}`" if each.per else ""),
                each.unit,
                _BETTER[each.direction],
                each.owner,
                f"`{each.source}`",
            )
            for each in kpis
        ),
    )


def _mart(mart: Mart) -> list[str]:
    return [
        *_heading(mart.name, f"{mart.purpose} One row per {mart.grain}.", mart.key),
        *_columns(
            (each.name, each.type, each.nullable, each.unit, each.description)
            for each in mart.columns
        ),
    ]


def _table(table: Table) -> list[str]:
    return [
        *_heading(table.name, f"One row per {table.grain}.", table.key),
        *_columns(
            (
                each.name,
                each.type,
                each.nullable,
                each.unit,
                f"{each.description}{' (personal)' if each.personal else ''}".strip(),
            )
            for each in table.columns
        ),
    ]


def _topic(topic: Topic) -> list[str]:
    text = f"{topic.description} Schema version {topic.schema_version}."
    return [
        *_heading(topic.name, text, (topic.key,)),
        *_columns(
            (
                each.name,
                each.kind,
                each.nullable,
                each.unit,
                "; ".join(filter(None, (each.description, ", ".join(each.values)))),
            )
            for each in topic.fields_of(topic.schema_version)
        ),
    ]


def _heading(name: str, text: str, key: Sequence[str]) -> list[str]:
    return [
        "",
        f"### {name}",
        "",
        f"{text.strip()} Key: {', '.join(f'`{each}`' for each in key)}.",
        "",
    ]


def _columns(columns: Iterable[tuple[str, str, bool, str, str]]) -> list[str]:
    head = ("column", "type", "null", "unit", "meaning")
    return grid(
        head,
        (
            (f"`{name}`", kind, "yes" if nullable else "", unit, meaning)
            for name, kind, nullable, unit, meaning in columns
        ),
    )


def grid(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Lines of a table of Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    escaped = ([cell.replace("|", "\\|") for cell in line] for line in lines)
    return [f"| {' | '.join(line)} |" for line in escaped]

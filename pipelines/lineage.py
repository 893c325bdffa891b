"""Where a figure comes from and who shows it: topic, bronze, silver, model, mart, screen, as text.

In: TABLE, TABLE.COLUMN, a KPI or a page. Out: lines of a tree, looked up in the contracts, the dbt
project and the code as they are now. A column is followed from model to model by its name; where a
model makes it of others, the way goes on by model. Alone: `lake lineage gold.TABLE.COLUMN`.
"""

import re
from collections.abc import Iterator
from functools import cache

from lakehouse.contracts.gold import FCT_DAILY_KPIS, GOLD_TABLES
from lakehouse.contracts.tables import BRONZE_EVENTS, TABLES
from lakehouse.errors import LakeError
from lakehouse.settings import PROJECT_ROOT
from pipelines.consumers import REF, SOURCE, WORD, consumers_of, contracts_behind, model_texts

_SILVER = {table.name: table for table in TABLES}
_PAGES = PROJECT_ROOT / "dashboards" / "pages"


def lineage_of(name: str) -> list[str]:
    """Lines of the tree of a table, a column, a KPI or a page.

    Raises:
        LakeError: Nothing has this name.
    """
    table, column = _table_and_column(name)
    if table:
        return [name, "comes from", *_above(table, column), *_read_by(table, column)]
    if name in kpis():
        lines = [f"KPI {name}", "comes from", f"  {FCT_DAILY_KPIS}", *_above(FCT_DAILY_KPIS, "", 2)]
        return [*lines, *_read_by(FCT_DAILY_KPIS, "")]
    page = _PAGES / f"{name.strip('/').replace('-', '_')}.py"
    if page.is_file():
        marts = contracts_behind(page.relative_to(PROJECT_ROOT).as_posix())
        lines, seen = [f"page {page.stem}", "comes from"], set[str]()
        for mart in sorted(marts):
            lines.append(f"  {mart}{' (see above)' if mart in seen else ''}")
            lines += [] if mart in seen else _above(mart, "", 2, seen)
            seen.add(mart)
        return lines
    raise LakeError(
        f"Nothing is called '{name}'. Name a table or a column (schema.table.column), one of the "
        f"KPIs {', '.join(sorted(kpis()))}, or a page of dashboards/pages."
    )


@cache
def kpis() -> frozenset[str]:
    """Names of the daily KPIs, from the dbt project."""
    import yaml  # type: ignore[import-untyped]

    project = PROJECT_ROOT / "dbt_project"
    variables = yaml.safe_load((project / "dbt_project.yml").read_text(encoding="utf-8"))["vars"]
    if "kpis" in variables:
        return frozenset(each["name"] for each in variables["kpis"])
    text = model_texts()[FCT_DAILY_KPIS.partition(".")[2]]
    return frozenset(re.findall(r"'kpi': '(\w+)'", text))


def _table_and_column(name: str) -> tuple[str, str]:
    for table in (*GOLD_TABLES, *_SILVER):
        if name == table:
            return table, ""
        if name.startswith(f"{table}."):
            column = name.removeprefix(f"{table}.")
            if column not in _columns(table):
                raise LakeError(
                    f"{table} has no column '{column}'. Columns: {', '.join(_columns(table))}."
                )
            return table, column
    return "", ""


def _columns(table: str) -> tuple[str, ...]:
    from lakehouse.contracts.marts import read_marts

    if table in _SILVER:
        return _SILVER[table].column_names()
    mart = next(each for each in read_marts() if each.name == table)
    return tuple(each.name for each in mart.columns)


def _above(name: str, column: str, depth: int = 1, seen: set[str] | None = None) -> Iterator[str]:
    """What a table or model is made of, down to the topics; each deeper by two blanks, and once."""
    seen = set() if seen is None else seen
    for parent, carried in _parents(name, column):
        told = f"{parent}.{carried}" if carried else parent
        is_known = told in seen and parent.partition(" ")[0] != BRONZE_EVENTS.name
        yield f"{'  ' * depth}{told}{' (see above)' if is_known else ''}"
        if not is_known:
            seen.add(told)
            yield from _above(parent, carried, depth + 1, seen)


def _parents(name: str, column: str) -> list[tuple[str, str]]:
    from pipelines.refined_topics import REFINED

    if name == BRONZE_EVENTS.name:
        return []
    if name in _SILVER:
        filling = [each.topic.name for each in REFINED if _SILVER[name] in each.tables]
        topics = filling or [each.topic.name for each in REFINED]
        return [(f"{BRONZE_EVENTS.name} of topic {topic}", "") for topic in sorted(topics)]
    texts = model_texts()
    text = texts.get(name.removeprefix("gold."), "")
    found: list[tuple[str, str]] = []
    for parent in dict.fromkeys(REF.findall(text)):
        shown = f"gold.{parent}" if f"gold.{parent}" in GOLD_TABLES else parent
        carried = column if column in WORD.findall(texts.get(parent, "")) else ""
        found.append((shown, carried))
    for schema, short in dict.fromkeys(SOURCE.findall(text)):
        table = f"{schema}.{short}"
        found.append((table, column if column in _SILVER[table].column_names() else ""))
    # Where the column comes from by its name, the other inputs of the model don't matter.
    return [each for each in found if each[1]] or found


def _read_by(table: str, column: str) -> list[str]:
    readers = consumers_of(table, column)
    lines = [f"  {kind}: {', '.join(names)}" for kind, names in readers.items()]
    return ["read by", *(lines or ["  nothing"])]

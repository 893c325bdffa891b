"""Who reads a contract: silver tables, dbt models, rules of the gate, modules, pages.

In: a contract's name and a field. Out: what would notice if it changed, looked up in the code and
the dbt project as they are now. A reader is whatever names both the contract and the field.
Run standalone: `lake contracts check` names them for each breaking change.
"""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from governance.contracts.released import LINES
from governance.lineage.field_origins import CONTENT_HASH, columns_made_of
from lakehouse.contracts import gold, tables, topics
from lakehouse.contracts.exposures import read_exposures
from lakehouse.settings import PROJECT_ROOT

_PACKAGES = (
    *("storefront", "quality", "pipelines", "streaming"),
    *("dashboards", "experiments", "ml", "operations", "reports"),
)
_DBT = PROJECT_ROOT / "dbt_project"
WORD = re.compile(r"\w+")
_MACRO = re.compile(r"\{%-?\s*macro\s+(\w+)(.*?)\{%-?\s*endmacro", re.DOTALL)
_COMMENT = re.compile(r"\{#.*?#\}|--[^\n]*", re.DOTALL)
SOURCE = re.compile(r"source\(\s*'(\w+)'\s*,\s*'(\w+)'\s*\)")
REF = re.compile(r"ref\(\s*'(\w+)'\s*\)")


def consumers_of(contract: str, field: str = "") -> dict[str, tuple[str, ...]]:
    """Readers of a field by their kind, or of the whole contract when no field is given.

    A topic's field is followed into the columns of silver that are made of it, and on to what reads
    those; where none is, to what reads the tables that its records fill at all.
    """
    name = field.removeprefix(LINES)
    found: set[tuple[str, str]] = set(_readers(contract, name))
    for table, column in _filled_by(contract, field):
        found |= {("tables", table), *_readers(table, column)}
    return {
        kind: names
        for kind in ("tables", "dbt models", "suites of the gate", "modules", "screens")
        if (names := tuple(sorted(name for each, name in found if each == kind)))
    }


def _readers(contract: str, column: str) -> Iterator[tuple[str, str]]:
    """(kind, name) of what reads a contract's column."""
    models = tuple(_models_reading(contract, column))
    yield from (("dbt models", name) for name in models)
    yield from (("suites of the gate", name) for name in _suites_reading(contract, column))
    marts = [f"gold.{name}" for name in models if f"gold.{name}" in gold.GOLD_TABLES]
    for name in (contract, *marts):
        yield from (("modules", path) for path in _modules_reading(name, column))
    for page in read_exposures():
        if {contract, *marts} & set(page.tables()):
            yield "screens", page.label


def _filled_by(contract: str, field: str) -> list[tuple[str, str]]:
    """(silver table, column) that a topic's field ends in; no column where it goes into none.

    The content hash covers nearly all fields, so a change of one says nothing about its readers.
    """
    from pipelines.silver.routing import ROUTES

    filled = [table for each in ROUTES if each.topic.name == contract for table in each.tables]
    made = [each for each in columns_made_of(contract, field) if each[1] != CONTENT_HASH]
    return made or [(table.name, "") for table in filled]


def _suites_reading(contract: str, column: str) -> Iterator[str]:
    from quality.gate.suites import RULES
    from quality.gate.table_frames import FRAMES

    queries = {(frame.table, frame.name): frame.sql for frame in FRAMES}
    for rule in RULES:
        words = {*rule.columns, rule.column, *rule.where}
        words |= set(WORD.findall(queries.get((rule.table, rule.frame), "")))
        if rule.table == contract and (not column or column in words):
            yield rule.suite


def _models_reading(contract: str, column: str) -> Iterator[str]:
    """Models of the contract's offspring that name the column (all of them without a column)."""
    schema, _, short = contract.partition(".")
    texts = model_texts()
    seen = {
        name
        for name, text in texts.items()
        if (schema, short) in SOURCE.findall(text)
        or (schema == "gold" and short in REF.findall(text))
    }
    pending = list(seen)
    while pending:
        parent = pending.pop()
        children = {name for name, text in texts.items() if parent in REF.findall(text)} - seen
        seen |= children
        pending += children
    for name in sorted(seen):
        if not column or column in WORD.findall(texts[name]):
            yield name


@cache
def model_texts() -> dict[str, str]:
    """SQL of each model with that of the macros it calls, comments left out."""
    macros: dict[str, str] = {}
    for path in sorted((_DBT / "macros").rglob("*.sql")):
        macros |= dict(_MACRO.findall(_sql(path)))
    models = {}
    for path in sorted((_DBT / "models").rglob("*.sql")):
        text = _sql(path)
        called = {name for name in WORD.findall(text) if name in macros}
        called |= {inner for name in called for inner in WORD.findall(macros[name])} & set(macros)
        models[path.stem] = "\n".join([text, *(macros[name] for name in sorted(called))])
    return models


def _sql(path: Path) -> str:
    return _COMMENT.sub(" ", path.read_text(encoding="utf-8"))


def _modules_reading(contract: str, column: str) -> Iterator[str]:
    """Modules that import the contract and name the column."""
    for name, (names, words) in sorted(_modules().items()):
        if contract in names and (not column or column in words):
            yield name


@cache
def _modules() -> dict[str, tuple[frozenset[str], frozenset[str]]]:
    """By path: contracts that the module imports, words it uses."""
    named = _contract_names()
    found = {}
    for path in (path for each in _PACKAGES for path in (PROJECT_ROOT / each).rglob("*.py")):
        contracts, words = set(), set()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module:
                keys = {(node.module, alias.name) for alias in node.names}
                contracts |= {named[key] for key in keys & named.keys()}
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                words |= set(WORD.findall(node.value))
            elif isinstance(node, ast.Attribute):
                words.add(node.attr)
        relative = path.relative_to(PROJECT_ROOT).as_posix()
        found[relative] = (frozenset(contracts), frozenset(words))
    return found


def _contract_names() -> dict[tuple[str, str], str]:
    """(module, constant) -> name of the contract that the constant stands for."""
    found: dict[tuple[str, str], str] = {}
    for module in (gold, tables, topics):
        for constant, value in vars(module).items():
            if isinstance(value, tables.Table | topics.Topic):
                found[module.__name__, constant] = value.name
            elif value in gold.GOLD_TABLES and isinstance(value, str):
                found[module.__name__, constant] = value
    return found

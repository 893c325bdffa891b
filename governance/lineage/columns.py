"""Which columns a column of a model is made of, read from the SQL that dbt compiled.

In: the models' compiled SQL and the columns of silver. Out: for each column those of the relations
that the model reads, through renames, expressions, CTEs, unions and windows. Which rows a join or a
`where` lets through is not followed. Run standalone: `governance.lineage.dbt_manifest` uses it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from sqlglot import exp
    from sqlglot.optimizer.scope import Scope

_DIALECT = "duckdb"

Origin = tuple[str, str]
"""(schema.relation, column); no column where rows are counted, or a value is set for each row."""


def describe(origin: Origin) -> str:
    """An origin in words."""
    relation, column = origin
    return f"{relation}.{column}" if column else f"rows of {relation}"


@dataclass(frozen=True)
class ModelSql:
    """A model: its relation as schema.name, the database that holds it, and its compiled SQL."""

    relation: str
    database: str
    sql: str
    reads: tuple[str, ...]


class ColumnLineage:
    """Reads models one by one, each after those that it reads: their columns tell what `*` is."""

    def __init__(self, sources: Mapping[str, Iterable[str]], *, database: str) -> None:
        """Args: columns of each source by schema.name, and the database that holds them."""
        from sqlglot.schema import MappingSchema

        self._schema = MappingSchema(dialect=_DIALECT)
        for relation, columns in sources.items():
            self._add(database, relation, columns)

    def of_model(self, model: ModelSql) -> dict[str, tuple[Origin, ...]]:
        """Origins of each column of the model, in its order.

        Raises:
            sqlglot.errors.SqlglotError: The SQL can't be read, or names a column of no relation.
        """
        query = self._qualified(model.sql)
        self._add(model.database, model.relation, query.named_selects)
        return _origins(query, model.reads)

    def of_cte(self, model: ModelSql, cte: str, columns: Iterable[str]) -> tuple[Origin, ...]:
        """Origins of some columns of a CTE of the model, taken together."""
        from sqlglot import exp, parse_one

        statement = parse_one(model.sql, dialect=_DIALECT)
        picked = exp.select(*columns).from_(cte)
        picked.set("with_", statement.args["with_"].copy())
        found = _origins(self._qualified(picked.sql(_DIALECT)), model.reads)
        return tuple(dict.fromkeys(sorted(each for origins in found.values() for each in origins)))

    def _add(self, database: str, relation: str, columns: Iterable[str]) -> None:
        from sqlglot import exp

        schema, _, name = relation.partition(".")
        table = exp.table_(name, db=schema, catalog=database)
        self._schema.add_table(table, dict.fromkeys(columns, "unknown"))

    def _qualified(self, sql: str) -> "exp.Query":
        from sqlglot import exp, parse_one
        from sqlglot.optimizer.qualify import qualify

        tree = _with_windows_in_place(parse_one(sql, dialect=_DIALECT))
        return cast(exp.Query, qualify(tree, dialect=_DIALECT, schema=self._schema))


def _with_windows_in_place(tree: "exp.Expr") -> "exp.Expr":
    """The query with each window of a `window` clause written where its name stands."""
    from sqlglot import exp

    for select in tree.find_all(exp.Select):
        named = {window.name: window for window in select.args.get("windows") or ()}
        for call in select.find_all(exp.Window):
            window = named.get(call.alias)
            if window is not None and call is not window:
                call.set("alias", None)
                for part in ("partition_by", "order", "spec"):
                    call.set(part, window.copy().args.get(part))
        select.set("windows", None)
    return tree


def _origins(query: "exp.Query", reads: tuple[str, ...]) -> dict[str, tuple[Origin, ...]]:
    from sqlglot.lineage import lineage
    from sqlglot.optimizer.scope import Scope, build_scope

    root = cast(Scope, build_scope(query))
    scopes = {id(each.expression): each for each in root.traverse()}
    tops = lineage(None, query, {}, dialect=_DIALECT, scope=root, trim_selects=False, copy=False)
    found = {}
    for column, top in tops.items():
        ends = [node for node in top.walk() if not node.downstream]
        origins = {origin for node in ends if (origin := _origin(node))}
        counted = {name for node in ends for name in _relations(scopes.get(id(node.source)))}
        rows = [(each, "") for each in reads if each in (counted or reads)]
        found[column] = tuple(sorted(origins)) or tuple(rows)
    return found


def _origin(node: Any) -> Origin | None:
    """The column of a relation at an end of a lineage; None for a literal or a count of rows."""
    from sqlglot import exp

    table = node.source
    if not isinstance(table, exp.Table):
        return None
    return f"{table.db}.{table.name}", node.name.rpartition(".")[2].strip('"')


def _relations(scope: "Scope | None") -> set[str]:
    """Relations that a query reads, itself or through its CTEs."""
    from sqlglot import exp

    if scope is None:
        return set()
    inner = [each for _, each in scope.selected_sources.values() if not isinstance(each, exp.Table)]
    inner += scope.set_operation_scopes
    found = {
        f"{each.db}.{each.name}"
        for _, each in scope.selected_sources.values()
        if isinstance(each, exp.Table)
    }
    return found.union(*map(_relations, inner))

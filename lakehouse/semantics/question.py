"""A question to the semantic layer, compiled to SQL and answered from one version of gold.

In: metrics, days, a grain, dimensions to cut by and values to filter by. Out: exact rows. One
statement for each semantic model that the metrics need; names come from the declaration only,
values are bound. Quotients are formed of the sums: a week's rate is no mean of its days' rates.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal

from lakehouse.contracts.kpis import quotient
from lakehouse.errors import LakeError
from lakehouse.semantics.declared import Layer, Metric, SemanticModel, read_layer

if TYPE_CHECKING:
    import duckdb

Grain = Literal["day", "week", "month"]
Value = Decimal | int | None
Key = tuple[Any, ...]
_AGGREGATES = {
    "sum": "sum({})",
    "count": "count({})",
    "count_distinct": "count(distinct {})",
    "min": "min({})",
    "max": "max({})",
}
_DIMENSION = re.compile(r"\{\{\s*(?:Time)?Dimension\('\w+?__(\w+)'(?:,\s*'\w+')?\)\s*\}\}")
_TERM = re.compile(r"\s*([+-]?)\s*(\w+)")


@dataclass(frozen=True)
class Question:
    """What is asked. Both days are included; no grain means the period as a whole.

    `by` cuts by dimensions. `where` filters: dimension to the values let in; no value, no filter.
    """

    metrics: tuple[str, ...]
    first_day: date
    last_day: date
    grain: Grain | None = None
    by: tuple[str, ...] = ()
    where: Mapping[str, Sequence[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Row:
    """A part of the answer: its bucket's first day (None without a grain), place and values."""

    bucket: date | None
    place: tuple[str | None, ...]
    values: Mapping[str, Value]


def ask(
    cursor: "duckdb.DuckDBPyConnection", question: Question, *, layer: Layer | None = None
) -> list[Row]:
    """The answer, in order of bucket and place.

    Without `by` there is a row for each bucket of the period, also where nothing happened; with it,
    for each place that has any.

    Raises:
        LakeError: A metric is not declared, or can't be cut or filtered as asked.
    """
    layer = layer or read_layer()
    leaves = dict.fromkeys(leaf for name in question.metrics for leaf in layer.leaves(name))
    found: dict[Key, dict[str, Value]] = {}
    if not question.by:
        found = {(bucket,): {} for bucket in _buckets(question)}
    for model in dict.fromkeys(layer.measured_by(leaf.name) for leaf in leaves):
        measured = [leaf for leaf in leaves if layer.measured_by(leaf.name) is model]
        sql, parameters = compiled(layer, model, measured, question)
        for row in cursor.execute(sql, parameters).fetchall():
            values = dict(zip([leaf.name for leaf in measured], row[-len(measured) :], strict=True))
            key = row[: -len(measured)] if question.grain else (None, *row[: -len(measured)])
            found.setdefault(key, {}).update(values)
    return [
        Row(key[0], key[1:], {name: _value(layer, name, found[key]) for name in question.metrics})
        for key in sorted(found, key=lambda key: [(each is None, each) for each in key])
    ]


def compiled(
    layer: Layer,
    model: SemanticModel,
    leaves: Sequence[Metric],
    question: Question,
    *,
    before: tuple[date, date] | None = None,
) -> tuple[str, dict[str, Any]]:
    """The statement for the metrics of one model, and its parameters.

    Its columns are the grain's bucket, the dimensions and the metrics, without names; then, where
    the days of a period `before` are given, the metrics of that one.
    """
    names: dict[str, str] = {}
    joins: dict[str, dict[str, str]] = {}

    def column(dimension: str) -> str:
        if dimension in names:
            return names[dimension]
        if dimension in model.dimensions:
            names[dimension] = model.dimensions[dimension]
            return names[dimension]
        for other, entity in layer.joins(model):
            if dimension in other.dimensions:
                joins.setdefault(f"{other.name} {entity}", {})[dimension] = other.dimensions[
                    dimension
                ]
                names[dimension] = f"{other.name}__{dimension}"
                return names[dimension]
        labels = ", ".join(leaf.label for leaf in leaves)
        raise LakeError(f"{labels} can't be cut or filtered by {dimension}.")

    keys = [f"date_trunc('{question.grain}', {model.time})::date"] if question.grain else []
    keys += [column(dimension) for dimension in question.by]
    parameters: dict[str, Any] = {"first_day": question.first_day, "last_day": question.last_day}
    periods = [f"{model.time} between $first_day and $last_day"]
    if before:
        parameters |= {"first_day_before": before[0], "last_day_before": before[1]}
        periods.append(f"{model.time} between $first_day_before and $last_day_before")
    conditions = [f"({' or '.join(periods)})"]
    for dimension, values in question.where.items():
        if values:
            parameters[dimension] = list(values)
            conditions.append(
                f"list_contains(${dimension}::varchar[], cast({column(dimension)} as varchar))"
            )
    measures = [_aggregate(model, leaf, column) for leaf in leaves]
    if before:
        measures = [f"{each} filter (where {days})" for days in periods for each in measures]
    is_small = bool(model.rollup) and not model.without & names.keys()
    parts = [
        f"select {', '.join([*keys, *measures])}",
        f"from {model.rollup if is_small else model.table}",
        *(_join(layer, model, name, columns) for name, columns in joins.items()),
        f"where {' and '.join(conditions)}",
        "group by all" if keys else "",
    ]
    return "\n".join(filter(None, parts)), parameters


def _aggregate(model: SemanticModel, leaf: Metric, column: Callable[[str], str]) -> str:
    how, expression = model.measures[leaf.measure]
    if leaf.filter:
        condition = _DIMENSION.sub(lambda found: column(found[1]), leaf.filter)
        expression = f"case when {condition} then {expression} end"
    return _AGGREGATES[how].format(expression)


def _join(layer: Layer, model: SemanticModel, name: str, columns: Mapping[str, str]) -> str:
    """A join to one row per entity; columns bear the model's name, so none is ambiguous."""
    other, entity = name.split()
    joined = layer.models[other]
    chosen = [f"{expr} as {other}__{each}" for each, expr in columns.items()]
    chosen.append(f"{joined.entities[entity][1]} as {other}__key")
    current = f" where {joined.valid_to} is null" if joined.valid_to else ""
    members = f"select {', '.join(chosen)} from {joined.table}{current}"  # noqa: S608 - as declared
    return f"left join ({members}) as {other} on {other}__key = {model.entities[entity][1]}"


def _value(layer: Layer, name: str, values: Mapping[str, Value]) -> Value:
    metric = layer.metric(name)
    if metric.type == "simple":
        found = values.get(name)
        return metric.fill if found is None else found
    parts = [_value(layer, each, values) for each in metric.inputs]
    if any(part is None for part in parts):
        return None
    known = dict(zip(metric.inputs, (part for part in parts if part is not None), strict=True))
    if metric.type == "ratio":
        return quotient(*(Decimal(known[each]) for each in metric.inputs))
    terms = ((sign, known[term]) for sign, term in _TERM.findall(metric.expr))
    return sum((-value if sign == "-" else value) for sign, value in terms)


def _buckets(question: Question) -> Iterator[date | None]:
    if question.grain is None:
        yield None
        return
    day, last = question.first_day, None
    while day <= question.last_day:
        first = {
            "day": day,
            "week": day - timedelta(days=day.weekday()),
            "month": day.replace(day=1),
        }[question.grain]
        if first != last:
            yield first
        last, day = first, day + timedelta(days=1)

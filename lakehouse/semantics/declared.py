"""The semantic models and metrics of the dbt project, as `_semantic_models.yml` declares them.

In: dbt's own YAML beside the marts. Out: a `Layer`: models with their measures, dimensions and
entities, and metrics. dbt checks the file when it parses the project; this reads what it needs.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from lakehouse.contracts.marts import MARTS_DIR
from lakehouse.errors import LakeError

DECLARATION = MARTS_DIR / "_semantic_models.yml"
_REF = re.compile(r"ref\('(\w+)'\)")


@dataclass(frozen=True, eq=False)
class SemanticModel:
    """A table that is measured, or joined for its dimensions.

    `measures` are by name (aggregation, expression); `entities` by name (type, expression).
    `rollup` is a smaller table of the same columns but for the dimensions `without`. `valid_to` is
    the expression that is null for the current version of a member, empty where there is only one.
    """

    name: str
    table: str
    time: str
    entities: Mapping[str, tuple[str, str]]
    dimensions: Mapping[str, str]
    measures: Mapping[str, tuple[str, str]]
    valid_to: str = ""
    rollup: str = ""
    without: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Metric:
    """A metric. `inputs` are the metrics that a ratio or a derived one is made of.

    Simple ones have a `measure`; `fill` is what it is worth where there is no row.
    """

    name: str
    label: str
    type: str
    measure: str = ""
    fill: int | None = None
    filter: str = ""
    inputs: tuple[str, ...] = ()
    expr: str = ""


@dataclass(frozen=True)
class Layer:
    """All models and metrics, by name."""

    models: Mapping[str, SemanticModel]
    metrics: Mapping[str, Metric]

    def metric(self, name: str) -> Metric:
        """A metric. Raises: LakeError when it is not declared."""
        try:
            return self.metrics[name]
        except KeyError:
            raise LakeError(f"There is no metric {name!r}: {DECLARATION} declares them.") from None

    def leaves(self, name: str) -> tuple[Metric, ...]:
        """The simple metrics that a metric is made of, itself if it is one."""
        found = self.metric(name)
        if found.type == "simple":
            return (found,)
        return tuple(dict.fromkeys(leaf for part in found.inputs for leaf in self.leaves(part)))

    def measured_by(self, name: str) -> SemanticModel:
        """The model that measures all of a metric."""
        measure = self.leaves(name)[0].measure
        return next(model for model in self.models.values() if measure in model.measures)

    def dimensions(self, name: str) -> frozenset[str]:
        """What a metric can be cut and filtered by."""
        model = self.measured_by(name)
        joined = (each.dimensions for each, _ in self.joins(model))
        return frozenset(model.dimensions).union(*joined)

    def joins(self, model: SemanticModel) -> tuple[tuple[SemanticModel, str], ...]:
        """Models that have one row per entity of `model`, each with the entity's name."""
        return tuple(
            (other, entity)
            for entity, (kind, _) in model.entities.items()
            if kind == "foreign"
            for other in self.models.values()
            if other.entities.get(entity, ("",))[0] in ("primary", "unique", "natural")
        )


@cache
def read_layer(declaration: Path = DECLARATION) -> Layer:
    """The declared layer.

    Raises:
        LakeError: The file can't be read, or is no semantic layer.
    """
    import yaml  # type: ignore[import-untyped]

    try:
        found = yaml.safe_load(declaration.read_text(encoding="utf-8"))
        models = [_model(each) for each in found["semantic_models"]]
        metrics = [_metric(each) for each in found["metrics"]]
    except (OSError, yaml.YAMLError, AttributeError, KeyError, TypeError) as error:
        raise LakeError(f"The semantic layer of {declaration} can't be read: {error!r}.") from error
    return Layer({each.name: each for each in models}, {each.name: each for each in metrics})


def _model(found: Mapping[str, Any]) -> SemanticModel:
    times = {each["name"]: each for each in found["dimensions"]}
    default = found.get("defaults", {}).get("agg_time_dimension", "")
    ends = [
        each.get("expr", name)
        for name, each in times.items()
        if each.get("type_params", {}).get("validity_params", {}).get("is_end")
    ]
    rollup = found.get("config", {}).get("meta", {}).get("rollup", {})
    return SemanticModel(
        found["name"],
        _table(found["model"]),
        times[default].get("expr", default) if default else "",
        {each["name"]: (each["type"], each["expr"]) for each in found["entities"]},
        {each["name"]: each.get("expr", each["name"]) for each in found["dimensions"]},
        {each["name"]: (each["agg"], each["expr"]) for each in found.get("measures", ())},
        ends[0] if ends else "",
        _table(rollup["model"]) if rollup else "",
        frozenset(rollup.get("without", ())),
    )


def _table(ref: str) -> str:
    named = _REF.fullmatch(ref)
    if named is None:
        raise KeyError(ref)
    return f"{'intermediate' if named[1].startswith('int_') else 'gold'}.{named[1]}"


def _metric(found: Mapping[str, Any]) -> Metric:
    given = found["type_params"]
    name, label, kind = found["name"], found["label"], found["type"]
    if kind == "simple":
        measure = given["measure"]
        measure = measure if isinstance(measure, dict) else {"name": measure}
        fill = measure.get("fill_nulls_with")
        return Metric(name, label, kind, measure["name"], fill, found.get("filter", ""))
    if kind == "ratio":
        return Metric(name, label, kind, inputs=(given["numerator"], given["denominator"]))
    return Metric(name, label, kind, inputs=tuple(given["metrics"]), expr=given["expr"])

"""The only door to Great Expectations: one frame and its rules -> one verdict per rule.

In: a frame of `quality.gate.frame` as pandas, and `SuiteRule` rows. Out: `QualityRow` by rule name.
Nothing is sent, stored or printed: the context lives in memory. A check that breaks is kept apart
from data that fail it.
"""

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from lakehouse.shop import shop
from lakehouse.shop_format import counted
from quality.gate.frame import SAMPLE_LIMIT, Frame
from quality.gate.rule import NOT_NULL, ROW_COUNT, SHOP_CURRENCY, Severity, SuiteRule
from quality.gate.verdicts import QualityRow

if TYPE_CHECKING:
    import pandas as pd

_SEVERITIES: Mapping[Severity, str] = {"block": "critical", "warn": "warning"}
_SHOWN_ROWS = 3


def open_frames() -> Any:
    """Great Expectations with nothing stored or printed: a batch definition that takes frames."""
    import great_expectations as gx
    from great_expectations.data_context.types.base import ProgressBarsConfig

    for name in list(logging.root.manager.loggerDict):
        if name.partition(".")[0] == "great_expectations":
            logging.getLogger(name).setLevel(logging.WARNING)
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    asset = context.data_sources.add_pandas("silver").add_dataframe_asset("frames")
    return asset.add_batch_definition_whole_dataframe("frame")


def verdicts(
    frames: Any, frame: Frame, data: "pd.DataFrame", rules: Sequence[SuiteRule]
) -> dict[str, QualityRow]:
    """Verdicts by rule name. A rule on rows holds when there are none that it speaks of.

    (Great Expectations cannot divide by none of them in a rule on pairs, and is not asked.)
    """
    asked = [rule for rule in rules if rule.expectation == ROW_COUNT or len(_spoken_of(rule, data))]
    rows = {rule.name: _verdict(rule, frame, data, ()) for rule in rules if rule not in asked}
    if asked:
        for name, result in _validate(frames, frame, data, asked).items():
            rule = next(each for each in asked if each.name == name)
            rows[name] = _from_result(rule, frame, data, result)
    return rows


def errored(rules: Sequence[SuiteRule], reason: str) -> dict[str, QualityRow]:
    """Verdicts of checks that could not run; each blocks, since nothing is known of the data."""
    return {rule.name: _row(rule, "error", "not judged", reason) for rule in rules}


def _validate(
    frames: Any, frame: Frame, data: "pd.DataFrame", rules: Sequence[SuiteRule]
) -> dict[str, Any]:
    import great_expectations as gx

    name = f"{frame.table}: {frame.name}"
    batch = frames.get_batch({"dataframe": data})
    suite = gx.ExpectationSuite(name, expectations=[_expectation(rule) for rule in rules])
    outcome = batch.validate(suite, result_format={"result_format": "COMPLETE"})
    return {result.expectation_config.meta["rule"]: result for result in outcome.results}


def _expectation(rule: SuiteRule) -> Any:
    from great_expectations.expectations.registry import get_expectation_impl
    from great_expectations.expectations.row_conditions import AndCondition, Column

    kwargs = dict(rule.kwargs)
    if kwargs.get("value_set") == [SHOP_CURRENCY]:
        kwargs["value_set"] = [shop().currency]
    if len(rule.columns) == 1:
        kwargs["column"] = rule.columns[0]
    elif rule.columns:
        kwargs["column_A"], kwargs["column_B"] = rule.columns
        kwargs["ignore_row_if"] = "either_value_is_missing"
    conditions = [Column(name).is_in(values) for name, values in rule.where.items()]
    if conditions:
        kwargs["row_condition"] = AndCondition(conditions=conditions)
    return get_expectation_impl(rule.expectation)(
        **kwargs, severity=_SEVERITIES[rule.severity], meta={"rule": rule.name}
    )


def _from_result(rule: SuiteRule, frame: Frame, data: "pd.DataFrame", result: Any) -> QualityRow:
    broken = _exception(result.exception_info)
    if broken is not None:
        return errored([rule], broken)[rule.name]
    # The suite's own success is false for a mere warning too: the severity of each result counts.
    severity = str(getattr(result.expectation_config.severity, "value", "critical"))
    asked = next(key for key, value in _SEVERITIES.items() if value == severity)
    bad = () if result.success else _bad_rows(rule, data, result.result)
    row = _verdict(rule, frame, data, bad)
    status = "passed" if result.success else "failed"
    return {**row, "success": bool(result.success), "status": status, "severity": asked}


def _exception(info: Mapping[str, Any]) -> str | None:
    """What a check died of; the mapping is flat, or holds one entry for each metric."""
    entries = [info] if "raised_exception" in info else list(info.values())
    for entry in entries:
        if entry["raised_exception"]:
            lines = str(entry["exception_message"] or "").strip().splitlines()
            return lines[0] if lines else "no message"
    return None


def _spoken_of(rule: SuiteRule, data: "pd.DataFrame") -> "pd.DataFrame":
    """The rows that a rule can judge: inside its `where`, with a value in every column it reads."""
    spoken = _limited(rule, data)
    read = [] if rule.expectation == NOT_NULL else [each for each in rule.columns if each in spoken]
    return spoken.dropna(subset=read) if read else spoken


def _limited(rule: SuiteRule, data: "pd.DataFrame") -> "pd.DataFrame":
    for name, values in rule.where.items():
        data = data[data[name].isin(values)]
    return data


def _bad_rows(rule: SuiteRule, data: "pd.DataFrame", result: Mapping[str, Any]) -> tuple[Any, ...]:
    if rule.expectation == ROW_COUNT:
        return tuple(data.index)
    return tuple(result["unexpected_index_list"])


def _verdict(rule: SuiteRule, frame: Frame, data: "pd.DataFrame", bad: Sequence[Any]) -> QualityRow:
    """A verdict that counts records, since one row of a frame may stand for many."""
    if rule.expectation == ROW_COUNT:
        more = " or more" if len(data) >= SAMPLE_LIMIT else ""
        observed = f"{frame.unit}: {counted(len(data))}{more}"
    else:
        records = int(data.loc[list(bad), "records"].sum())
        judged = int(_limited(rule, data)["records"].sum())
        observed = f"{counted(records)} of {counted(judged)} {frame.unit}"
    shown = [_told(rule, frame, data.loc[place]) for place in bad[:_SHOWN_ROWS]]
    if len(bad) > _SHOWN_ROWS:
        shown.append("…")
    return _row(rule, "failed" if bad else "passed", observed, "; ".join(shown))


def _told(rule: SuiteRule, frame: Frame, row: "pd.Series[Any]") -> str:
    """A row of a frame for people: what the rule read, and where to look."""
    if rule.expectation == NOT_NULL:
        texts, names = [f"{rule.columns[0]} missing"], frame.sample
    else:
        texts, names = [], (*rule.columns, *frame.sample)
    texts += [
        f"{name.removesuffix('_e4')} {_text(name, row[name])}" for name in dict.fromkeys(names)
    ]
    return ", ".join(texts)


def _text(name: str, value: Any) -> str:
    import pandas as pd

    if pd.isna(value):
        return "missing"
    if name.endswith("_e4"):
        return str(Decimal(int(value)).scaleb(-4))
    if isinstance(value, datetime):
        return value.date().isoformat()
    return str(value)


def _row(rule: SuiteRule, status: str, observed: str, detail: str) -> QualityRow:
    return {
        "rule": rule.name,
        "suite": rule.suite,
        "table": rule.table,
        "expectation": rule.expectation,
        "column": rule.column,
        "severity": "block" if status == "error" else rule.severity,
        "status": status,
        "success": status == "passed",
        "observed": observed,
        "detail": detail,
        "meaning": rule.meaning,
    }

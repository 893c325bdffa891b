"""What a rule is, and the rules that follow from a table's contract alone.

In: a table's contract. Out: `SuiteRule` rows for its columns, types, nulls and key. The rules of
the business and of the shop's past are rows in `quality.gate.suites`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from lakehouse.contracts.tables import Table

Severity = Literal["block", "warn"]

NOT_NULL = "expect_column_values_to_not_be_null"
IN_SET = "expect_column_values_to_be_in_set"
NOT_IN_SET = "expect_column_values_to_not_be_in_set"
BETWEEN = "expect_column_values_to_be_between"
PAIR_EQUAL = "expect_column_pair_values_to_be_equal"
PAIR_ORDERED = "expect_column_pair_values_a_to_be_greater_than_b"
ROW_COUNT = "expect_table_row_count_to_equal"
SHOP_CURRENCY = "the currency of the shop"
"""Stands in a closed list for the code that the settings name when the rule is asked."""


@dataclass(frozen=True)
class SuiteRule:
    """One expectation on one frame of a table. `name` is stable and unique over all rules.

    `columns` are those of the frame that the expectation reads: none for a rule on the whole frame,
    two for a pair. `where` limits the rule to rows whose columns hold one of the given values; not
    for pairs, where Great Expectations 1.24 counts the rows outside too.
    `column` is what a report shows: the column of the table that the rule speaks of.
    """

    name: str
    table: str
    suite: str
    frame: str
    expectation: str
    columns: tuple[str, ...]
    severity: Severity
    meaning: str
    column: str = ""
    kwargs: Mapping[str, object] = field(default_factory=dict)
    where: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def suite_rule(
    table: Table,
    name: str,
    expectation: str,
    columns: str | tuple[str, ...],
    meaning: str,
    *,
    suite: str = "business",
    frame: str = "rows",
    severity: Severity = "block",
    column: str | None = None,
    where: Mapping[str, tuple[str, ...]] | None = None,
    **kwargs: object,
) -> SuiteRule:
    """A rule of `table`, named `<table>.<name>`; `kwargs` go to the expectation.

    Args:
        column: Column of the table that a report names; the frame's first column otherwise.
    """
    short = table.name.partition(".")[2]
    read = (columns,) if isinstance(columns, str) else columns
    return SuiteRule(
        name=f"{short}.{name}",
        table=table.name,
        suite=f"{short}: {suite}",
        frame=frame,
        expectation=expectation,
        columns=read,
        severity=severity,
        meaning=meaning,
        column=column if column is not None else next(iter(read), ""),
        kwargs=kwargs,
        where=where or {},
    )


def contract_rules(
    table: Table, *, closed: Mapping[str, tuple[str, ...]] | None = None
) -> tuple[SuiteRule, ...]:
    """Rules that any rows of the table keep: columns, types, key, nulls and closed lists.

    Args:
        table: Its contract.
        closed: Closed list of values by column.
    """
    key = ", ".join(table.key)
    return (
        suite_rule(
            table,
            "columns.as_contract",
            PAIR_EQUAL,
            ("contract_type", "lake_type"),
            "The table has the columns and types of its contract, no more and no less.",
            suite="contract",
            frame="columns",
            column="",
        ),
        suite_rule(
            table,
            "key.unique",
            ROW_COUNT,
            (),
            f"Each {key} occurs once in the whole table.",
            suite="contract",
            frame="keys",
            column=key,
            value=0,
        ),
        *(
            suite_rule(
                table,
                f"{column.name}.not_null",
                NOT_NULL,
                column.name,
                f"{column.name} is never missing.",
                suite="contract",
            )
            for column in table.columns
            if not column.nullable
        ),
        *(
            suite_rule(
                table,
                f"{column}.known",
                IN_SET,
                column,
                f"{column} holds only values of its closed list.",
                suite="contract",
                value_set=list(values),
            )
            for column, values in (closed or {}).items()
        ),
    )

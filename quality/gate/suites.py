"""The rules that silver must keep before gold is built from it, as rows of data.

In: the contracts. Out: `rules_for(table)` and `RULES`. A rule that holds for any shop blocks gold;
a rule that another shop may break, or that compares with this shop's own past, warns. To add a
threshold, add a row; what a rule reads is a column of a frame in `quality.gate.table_frames`.
"""

from lakehouse.contracts.business import LINE_CLASSES, SOURCE_SYSTEMS
from lakehouse.contracts.reasons import REASON_CODES
from lakehouse.contracts.tables import (
    CUSTOMER_CONTACTS,
    CUSTOMERS,
    DUPLICATES,
    ORDER_LINES,
    PRODUCTS,
    QUARANTINE,
    WEB_EVENTS,
    Table,
)
from lakehouse.contracts.topics import (
    TOPICS,
    WEB_DEVICE_TYPES,
    WEB_EVENT_TYPES,
)
from quality.gate.order_line_rules import BUSINESS_RULES, CONTRACT_RULES
from quality.gate.rule import (
    BETWEEN,
    IN_SET,
    NOT_IN_SET,
    PAIR_ORDERED,
    ROW_COUNT,
    SHOP_CURRENCY,
    SuiteRule,
    contract_rules,
    suite_rule,
)

__all__ = ["RULES", "SuiteRule", "rules_for"]


def rules_for(table: str) -> tuple[SuiteRule, ...]:
    """Every rule of a table, by its name; none for a table that the gate does not judge."""
    return tuple(rule for rule in RULES if rule.table == table)


def _year_in_range(table: Table, column: str, year: str) -> SuiteRule:
    return suite_rule(
        table,
        f"{column}.in_range",
        BETWEEN,
        year,
        f"{column} lies between 1990 and 2099.",
        suite="contract",
        column=column,
        min_value=1990,
        max_value=2099,
    )


def _event_id_filled(table: Table) -> SuiteRule:
    return suite_rule(
        table,
        "event_id.filled",
        IN_SET,
        "has_event_id",
        "event_id is more than blanks.",
        suite="contract",
        column="event_id",
        value_set=[True],
    )


def _changes(table: Table) -> tuple[SuiteRule, ...]:
    year = _year_in_range(table, "changed_at", "change_year")
    return (*contract_rules(table), _event_id_filled(table), year)


_ORDER_LINE_RULES = (
    *contract_rules(
        ORDER_LINES,
        closed={
            "source_system": SOURCE_SYSTEMS,
            "line_class": LINE_CLASSES,
            "currency": (SHOP_CURRENCY,),
        },
    ),
    _event_id_filled(ORDER_LINES),
    _year_in_range(ORDER_LINES, "order_date", "order_year"),
    *CONTRACT_RULES,
    *BUSINESS_RULES,
)
_HISTORY_RULES = (
    suite_rule(
        ORDER_LINES,
        "volume.not_low",
        BETWEEN,
        "full_day_volume_ratio",
        "A day has at least a tenth of the lines of a usual day of the last 60.",
        suite="history",
        frame="recent_days",
        column="order_date",
        severity="warn",
        min_value=0.1,
    ),
    suite_rule(
        ORDER_LINES,
        "volume.not_high",
        BETWEEN,
        "volume_ratio",
        "A day has at most five times the lines of a usual day of the last 60.",
        suite="history",
        frame="recent_days",
        column="order_date",
        severity="warn",
        max_value=5,
    ),
    suite_rule(
        ORDER_LINES,
        "price_level.steady",
        BETWEEN,
        "price_ratio",
        "The median price of a day's sales is between half and twice that of the last 60 days.",
        suite="history",
        frame="recent_days",
        column="unit_price",
        severity="warn",
        min_value=0.5,
        max_value=2,
    ),
    suite_rule(
        ORDER_LINES,
        "description.not_cut",
        BETWEEN,
        "longest_text_ratio",
        "The longest description of a day is at least three quarters as long as usual.",
        suite="history",
        frame="recent_days",
        column="description",
        severity="warn",
        min_value=0.75,
    ),
    suite_rule(
        ORDER_LINES,
        "unknown_customers.not_rising",
        BETWEEN,
        "unknown_rate_rise",
        "The rate of sale lines without a customer stays below the highest of 60 days plus 0.3.",
        suite="history",
        frame="recent_days",
        column="customer_id",
        severity="warn",
        max_value=0.3,
    ),
    suite_rule(
        ORDER_LINES,
        "day.not_missing",
        ROW_COUNT,
        (),
        "A weekday on which the source sold in each of six weeks has lines this week too.",
        suite="history",
        frame="missing_days",
        column="order_date",
        severity="warn",
        value=0,
    ),
    suite_rule(
        ORDER_LINES,
        "source.fresh",
        PAIR_ORDERED,
        ("allowed_days", "silent_days"),
        "No source lags behind the others by more than 14 days and twice its longest pause.",
        suite="history",
        frame="freshness",
        column="order_date",
        severity="warn",
        or_equal=True,
    ),
)
_WEB_EVENT_RULES = (
    *contract_rules(
        WEB_EVENTS, closed={"event_type": WEB_EVENT_TYPES, "device_type": WEB_DEVICE_TYPES}
    ),
    _event_id_filled(WEB_EVENTS),
    _year_in_range(WEB_EVENTS, "event_date", "event_year"),
    suite_rule(
        WEB_EVENTS,
        "event_date.is_shop_day",
        IN_SET,
        "days_off",
        "event_date is the day of occurred_at on the shop's wall calendar.",
        suite="contract",
        column="event_date",
        value_set=[0],
    ),
    suite_rule(
        WEB_EVENTS,
        "purchase.names_its_order",
        IN_SET,
        "has_purchased_order",
        "A purchase names the order that came of it.",
        column="order_id",
        severity="warn",
        value_set=[True],
    ),
)
_PROFILE_RULES = (
    *_changes(CUSTOMERS),
    *_changes(CUSTOMER_CONTACTS),
    suite_rule(
        CUSTOMER_CONTACTS,
        "customer.known",
        ROW_COUNT,
        (),
        "Contact data come with the change of the same customer.",
        frame="references",
        column="event_id",
        value=0,
    ),
    *_changes(PRODUCTS),
    suite_rule(
        PRODUCTS,
        "unit_price.not_negative",
        NOT_IN_SET,
        "price_sign",
        "A catalog price below zero is possible and odd.",
        column="unit_price",
        severity="warn",
        value_set=[-1],
    ),
)

RULES = (
    *_ORDER_LINE_RULES,
    *_HISTORY_RULES,
    *_WEB_EVENT_RULES,
    *_PROFILE_RULES,
    *contract_rules(QUARANTINE, closed={"reason": REASON_CODES, "topic": TOPICS}),
    *contract_rules(
        DUPLICATES, closed={"disposition": ("redelivered", "repeated"), "topic": TOPICS}
    ),
)
"""Every rule of the gate, in the order in which tables are judged."""

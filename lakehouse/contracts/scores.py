"""Tables of what models say, `scores.*`: written by `ml` alone, joined by readers, never by dbt.

Figures of models are estimates and so floats, also where they count money; the money that they
are held against stays DECIMAL in gold. Every row names the version that made it.
"""

from lakehouse.contracts.tables import Column, Table
from lakehouse.contracts.topics import MONEY, SHOP_TIME, UTC

MODEL_VERSION = Column("model_version", "string", description="Name and number of the model")
SCORED_AT = Column("scored_at", "timestamp", unit=UTC)
ALIAS = Column("alias", "string", description="champion, or challenger in its shadow")

DAILY_SALES_FORECAST = Table(
    "scores.daily_sales_forecast",
    "trading day and alias: the past as it was expected the day before, and the days to come",
    ("forecast_date", "alias"),
    (
        Column("forecast_date", "date", description="Day of the shop", unit=SHOP_TIME),
        ALIAS,
        Column("horizon_days", "int", description="Trading days ahead; 1 for the past"),
        Column("is_future", "boolean", description="Whether no sale of this day was known"),
        Column("actual_value", "double", nullable=True, description="Net revenue", unit=MONEY),
        Column("expected_value", "double", description="Median of the forecast", unit=MONEY),
        Column("low_80", "double", unit=MONEY),
        Column("high_80", "double", unit=MONEY),
        Column("low_95", "double", unit=MONEY),
        Column("high_95", "double", unit=MONEY),
        Column("error_spreads", "double", nullable=True, description="Error in usual errors"),
        Column("is_anomaly", "boolean", description="Whether the day is far from all expectation"),
        MODEL_VERSION,
        SCORED_AT,
    ),
)
MODEL_DRIFT = Table(
    "scores.model_drift",
    "column that a model reads or gives, and look at it",
    ("measured_at", "model", "column_name"),
    (
        Column("measured_at", "timestamp", unit=UTC),
        Column("model", "string"),
        Column("column_name", "string", description="A feature, the score or the error"),
        Column("kind", "string", description="feature, score or error"),
        Column("psi", "double", description="Population stability index, by tenths of before"),
        Column("ks", "double", description="Largest distance of the two distributions, 0 to 1"),
        Column("limit_psi", "double", description="What chance exceeds once in a hundred looks"),
        Column("limit_ks", "double", description="The same"),
        Column("is_drift", "boolean"),
        Column("reference_rows", "bigint"),
        Column("current_rows", "bigint"),
        MODEL_VERSION,
    ),
)
PRODUCT_RECOMMENDATIONS = Table(
    "scores.product_recommendations",
    "product and rank of another that is bought with it",
    ("sku", "rank"),
    (
        Column("sku", "string", description="Upper-case stock code"),
        Column("rank", "int", description="1 is the first to show"),
        Column("recommended_sku", "string", description="Upper-case stock code"),
        Column("similarity", "double", description="Cosine over baskets, shrunk, 0 to 1"),
        Column("shared_orders", "bigint", description="Orders with both"),
        MODEL_VERSION,
        SCORED_AT,
    ),
)

CUSTOMER_ID = Column("customer_id", "string")
CUTOFF_DATE = Column(
    "cutoff_date", "date", description="First day that is not read", unit=SHOP_TIME
)
CUSTOMER_FEATURES = Table(
    "scores.customer_features",
    "customer with a purchase before the cut-off",
    ("customer_id",),
    (
        CUSTOMER_ID,
        CUTOFF_DATE,
        *(
            Column(name, "double", description=description, unit=unit)
            for name, unit, description in (
                ("recency_days", "days", "From the last purchase to the cut-off"),
                ("tenure_days", "days", "From the first purchase to the cut-off"),
                ("order_count", "orders", "Distinct orders"),
                ("purchase_day_count", "days", "Days with an order"),
                ("monetary_amount", MONEY, "Sum of all orders"),
                ("average_order_amount", MONEY, "monetary_amount / order_count"),
                ("largest_order_amount", MONEY, "The largest order"),
                ("gap_days", "days", "tenure_days / purchase_day_count: the usual time between"),
                ("overdue_ratio", "factor", "recency_days / gap_days: above 1 is late"),
                ("recent_order_count", "orders", "Orders of the last 90 days"),
                ("recent_amount", MONEY, "Sum of the orders of the last 90 days"),
            )
        ),
        MODEL_VERSION,
        SCORED_AT,
    ),
)
CUSTOMER_SEGMENTS = Table(
    "scores.customer_segments",
    "customer with a purchase before the cut-off",
    ("customer_id",),
    (
        CUSTOMER_ID,
        CUTOFF_DATE,
        Column("segment_number", "int", description="From 1, the most valuable centre first"),
        Column("segment_name", "string", description="After the centre of the group"),
        Column(
            "previous_segment_name",
            "string",
            nullable=True,
            description="Of the same groups 30 days before; null for a customer of these days",
        ),
        Column("recency_days", "double", description="R", unit="days"),
        Column("order_count", "double", description="F", unit="orders"),
        Column("monetary_amount", "double", description="M", unit=MONEY),
        MODEL_VERSION,
        SCORED_AT,
    ),
)
CUSTOMER_CHURN = Table(
    "scores.customer_churn",
    "customer with a purchase before the cut-off, and alias",
    ("customer_id", "alias"),
    (
        CUSTOMER_ID,
        ALIAS,
        CUTOFF_DATE,
        Column("churn_chance", "double", description="Of no purchase within 90 days", unit="rate"),
        Column("reason", "string", description="What raises the chance most"),
        Column("second_reason", "string", nullable=True, description="What comes next"),
        Column("usual_amount", "double", description="Spend of 90 days so far", unit=MONEY),
        Column("expected_profit", "double", description="Of one offer, its cost off", unit=MONEY),
        Column("is_worth_a_call", "boolean", description="Whether expected_profit is above 0"),
        MODEL_VERSION,
        SCORED_AT,
    ),
)
CUSTOMER_LIFETIME_VALUE = Table(
    "scores.customer_lifetime_value",
    "customer with a purchase before the cut-off",
    ("customer_id",),
    (
        CUSTOMER_ID,
        CUTOFF_DATE,
        Column("horizon_weeks", "double", description="How far it looks", unit="weeks"),
        Column("repeat_day_count", "double", description="Purchase days but the first"),
        Column("alive_chance", "double", description="Of buying ever again", unit="rate"),
        Column("expected_purchase_days", "double", description="Within the horizon", unit="days"),
        Column("expected_day_amount", "double", description="Of a purchase day", unit=MONEY),
        Column("expected_amount", "double", description="Within the horizon", unit=MONEY),
        MODEL_VERSION,
        SCORED_AT,
    ),
)

SCORES = (
    DAILY_SALES_FORECAST,
    MODEL_DRIFT,
    PRODUCT_RECOMMENDATIONS,
    CUSTOMER_FEATURES,
    CUSTOMER_SEGMENTS,
    CUSTOMER_CHURN,
    CUSTOMER_LIFETIME_VALUE,
)

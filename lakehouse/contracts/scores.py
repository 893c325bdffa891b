"""Tables of what models say, `scores.*`: written by `ml` alone, joined by readers, never by dbt.

Figures of models are estimates and so floats, also where they count pounds; the money that they
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
        Column("column_name", "string", description="A feature, or the score itself"),
        Column("kind", "string", description="feature or score"),
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

SCORES = (DAILY_SALES_FORECAST, MODEL_DRIFT, PRODUCT_RECOMMENDATIONS)

"""Names of gold's tables as Python reads them; their columns are the contracts of the dbt project.

A reader imports the constant, so that a renamed mart fails in one place and not on a screen.
"""

DIM_COUNTRIES = "gold.dim_countries"
DIM_CUSTOMER_CONTACTS = "gold.dim_customer_contacts"
"""The only table of gold with personal data."""

DIM_CUSTOMERS = "gold.dim_customers"
DIM_DATES = "gold.dim_dates"
DIM_PRODUCTS = "gold.dim_products"
FCT_BASKET_PAIRS = "gold.fct_basket_pairs"
FCT_COHORT_RETENTION = "gold.fct_cohort_retention"
FCT_CUSTOMER_ORDERS = "gold.fct_customer_orders"
FCT_CUSTOMER_RFM = "gold.fct_customer_rfm"
FCT_DAILY_CUSTOMERS = "gold.fct_daily_customers"
FCT_DAILY_FUNNEL = "gold.fct_daily_funnel"
FCT_DAILY_KPIS = "gold.fct_daily_kpis"
FCT_DAILY_SALES = "gold.fct_daily_sales"
FCT_EXPOSURES = "gold.fct_exposures"
FCT_ORDER_LINES = "gold.fct_order_lines"
FCT_ORDERS = "gold.fct_orders"
FCT_SESSIONS = "gold.fct_sessions"

GOLD_TABLES = (
    DIM_COUNTRIES,
    DIM_CUSTOMER_CONTACTS,
    DIM_CUSTOMERS,
    DIM_DATES,
    DIM_PRODUCTS,
    FCT_BASKET_PAIRS,
    FCT_COHORT_RETENTION,
    FCT_CUSTOMER_ORDERS,
    FCT_CUSTOMER_RFM,
    FCT_DAILY_CUSTOMERS,
    FCT_DAILY_FUNNEL,
    FCT_DAILY_KPIS,
    FCT_DAILY_SALES,
    FCT_EXPOSURES,
    FCT_ORDER_LINES,
    FCT_ORDERS,
    FCT_SESSIONS,
)

-- depends_on: {{ ref('int_customers_versioned') }}
-- depends_on: {{ ref('int_products_versioned') }}
-- depends_on: {{ ref('stg_silver__web_events') }}
{{ config(materialized='table') }}

{%- set gold = target.database %}

with
{%- if var('is_incremental', false) %}
lines as (
    {{ changed_rows('order_lines') }}
),

events as (
    {{ changed_rows('web_events') }}
),

profiles as (
    {{ changed_rows('customers') }}
),

catalog as (
    {{ changed_rows('products') }}
),

-- A line on or before the first day, or of another country where no profile says the country, may
-- change the customer on all days. Visits have the key only, which a line brings or takes.
customers as (
    select
        *,
        true as changes_key
    from ({{ changed_versions('profiles', 'customers', 'customer_id', ['country']) }})
    union
    select
        lines.customer_id,
        {{ first_valid_from() }} as changed_from,
        lines.is_removed or known.customer_id is null as changes_key
    from lines
    left join {{ gold }}.gold.dim_customers as known
        on lines.customer_id = known.customer_id and known.is_current
    where
        lines.customer_id is not null
        and (
            lines.is_removed
            or not coalesce(lines.order_date > known.first_order_date, false)
            or (
                lines.country is distinct from known.country
                and lines.customer_id not in (
                    select versions.customer_id
                    from {{ ref('int_customers_versioned') }} as versions
                )
            )
        )
),

products as (
    {{ changed_versions('catalog', 'products', 'sku', ['unit_price']) }}
),

orders as (
    select
        source_system,
        order_id
    from lines
    union
    select
        known.source_system,
        known.order_id
    from {{ gold }}.intermediate.int_orders_grouped as known
    inner join customers on known.customer_id = customers.customer_id
    where known.order_date >= customers.changed_from - interval 1 day
),

int_days_changed as (
    select order_date as day from lines
    union
    select known.order_date
    from {{ gold }}.intermediate.int_orders_grouped as known
    semi join orders
        on known.source_system = orders.source_system and known.order_id = orders.order_id
    union
    select known.order_date
    from {{ gold }}.intermediate.int_products_described as known
    inner join products on known.sku = products.sku
    where known.order_date >= products.changed_from - interval 1 day
    union
    select event_date from events
    union
    select event_date from {{ ref('stg_silver__web_events') }}
    where
        session_id in (
            select events.session_id from events
            where events.is_removed
        )
    union
    select session_date from {{ gold }}.gold.fct_sessions
    where
        session_id in (select events.session_id from events)
        or order_id in (
            select orders.order_id from orders
            where orders.source_system = 'web'
        )
    union
    select known.session_date
    from {{ gold }}.gold.fct_sessions as known
    inner join customers on known.customer_id = customers.customer_id
    where
        customers.changes_key
        and known.session_date >= customers.changed_from - interval 1 day
)
{%- else %}
int_days_changed as (
    select order_date as day from {{ ref('stg_silver__order_lines') }}
    where false
)
{%- endif %}

select * from int_days_changed
